// SPDX-License-Identifier: Apache-2.0
// Connections that stay open, each to carry one call of a round, so that calls really meet at the daemon.
import https from 'node:https';

// n of them, for calls of the agent; node_of(index) says to which instance a connection leads.
export function lines(n, agent, node_of) {
	const all = Array.from({ length: n }, () => new https.Agent({ keepAlive: true, maxSockets: 1 }));
	return {
		async post(index, parameters, endpoint = '/token') {
			const node = node_of(index);
			const body = new URLSearchParams({ client_id: agent.client_id, ...parameters }).toString();
			const response = await node.fetch(node.issuer + endpoint, { method: 'POST', body, agent: all[index], raw_headers: new Map([['content-type', 'application/x-www-form-urlencoded']]) });
			const text = await response.text();
			return { status: response.status, headers: response.headers, text, body: JSON.parse(text) };
		},
		close() { for (const one of all) one.destroy(); },
	};
}
