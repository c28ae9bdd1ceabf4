// SPDX-License-Identifier: Apache-2.0
// Debian's nginx with static files: what an HTTP server costs that has nothing to think about.
import fs from 'node:fs';
import path from 'node:path';
import { Server } from './server.mjs';

export class Nginx extends Server {
	// files: { '/path': text } as another server answers them
	constructor(world, port, files) {
		super(world, 'nginx', port);
		this.root = path.join(this.dir, 'root');
		for (const [name, text] of Object.entries(files)) {
			const file = path.join(this.root, name);
			fs.mkdirSync(path.dirname(file), { recursive: true });
			fs.writeFileSync(file, text);
		}
		// its workers are nobody
		for (let folder = this.root; folder.startsWith(world.dir); folder = path.dirname(folder)) fs.chmodSync(folder, 0o755);
	}

	get ready_path() { return '/jwks.json'; }

	command() {
		const file = path.join(this.dir, 'nginx.conf');
		const listen = this.tls ? `listen 127.0.0.1:${this.port} ssl reuseport; ssl_certificate ${this.world.tls.cert}; ssl_certificate_key ${this.world.tls.key}; ssl_protocols TLSv1.2 TLSv1.3;`
			: `listen 127.0.0.1:${this.port} reuseport;`;
		fs.writeFileSync(file, `daemon off; worker_processes auto; pid ${this.dir}/pid; error_log ${this.dir}/error.log crit;
events { worker_connections 4096; }
http {
	access_log off; keepalive_requests 100000000; tcp_nodelay on; sendfile on; open_file_cache max=10;
	default_type application/json; root ${this.root};
	client_body_temp_path ${this.dir}/body; proxy_temp_path ${this.dir}/proxy; fastcgi_temp_path ${this.dir}/fastcgi;
	uwsgi_temp_path ${this.dir}/uwsgi; scgi_temp_path ${this.dir}/scgi;
	server { ${listen} }
}
`);
		return { file: '/usr/sbin/nginx', args: ['-e', `${this.dir}/error.log`, '-c', file] };
	}

	prepare() {}
	jwks() { return { head: 'GET /jwks.json HTTP/1.1\nHost: bench\n' }; }
	metadata() { return { head: 'GET /.well-known/oauth-authorization-server HTTP/1.1\nHost: bench\n' }; }
}
