// SPDX-License-Identifier: Apache-2.0
// An MCP server whose tools are open to whom a person allowed it, at grantd. README.md says how to run it.
import http from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer, OAuthError, bearerAuthChallengeResponse, createMcpHandler, getOAuthProtectedResourceMetadataUrl,
	hostHeaderValidationResponse, originValidationResponse, requireScopes, verifyBearerToken } from '@modelcontextprotocol/server';
import { z } from 'zod';
import { verifier_of } from './tokens.mjs';

const { ISSUER, RESOURCE = 'http://127.0.0.1:3000/mcp', LISTEN = new URL(RESOURCE).port } = process.env;
const resource = new URL(RESOURCE);
const metadata_url = new URL(getOAuthProtectedResourceMetadataUrl(resource));
const guard = { verifier: await verifier_of(ISSUER, RESOURCE), resourceMetadataUrl: metadata_url.href };

// What a client learns before it has a token (RFC 9728).
const metadata = {
	resource: RESOURCE, resource_name: 'Notes', authorization_servers: [ISSUER],
	scopes_supported: ['notes.read', 'notes.write', 'notes.delete'], bearer_methods_supported: ['header'],
};

// Each person's own, by their id at grantd.
const notes = new Map();
const text = (words) => ({ content: [{ type: 'text', text: words }] });

// One for each request: whose token it is decides what the tools work on. A call without the scopes of its tool is
// answered 403 with all of them, so that the client can ask its person.
function server_of({ authInfo }) {
	const server = new McpServer({ name: 'notes', version: '1.0.0' });
	const mine = notes.get(authInfo.extra.sub) ?? [];
	notes.set(authInfo.extra.sub, mine);

	server.registerTool('list_notes', {
		description: 'All notes of the person, numbered from 1', scopeChallenge: requireScopes('notes.read'),
	}, () => text(mine.map((note, i) => `${i + 1}. ${note}`).join('\n')));

	server.registerTool('add_note', {
		description: 'Adds a note', inputSchema: z.object({ note: z.string().max(1000) }), scopeChallenge: requireScopes('notes.write'),
	}, ({ note }) => text(`This is note ${mine.push(note)}.`));

	server.registerTool('delete_note', {
		description: 'Deletes a note and says what it was', inputSchema: z.object({ number: z.number().int().min(1) }),
		scopeChallenge: requireScopes('notes.read', 'notes.delete'),
	}, ({ number }) => text(mine.splice(number - 1, 1)[0] ?? 'There is no such note.'));
	return server;
}

const tools = createMcpHandler(server_of);

async function answer(request) {
	const { pathname } = new URL(request.url);
	// a page in somebody's browser must not reach a server on their own machine (DNS rebinding)
	const stranger = hostHeaderValidationResponse(request, [resource.hostname]) ?? originValidationResponse(request, [resource.hostname]);
	if (stranger) return stranger;
	if (pathname === metadata_url.pathname) return Response.json(metadata, { headers: { 'access-control-allow-origin': '*' } });
	if (pathname !== resource.pathname) return new Response(null, { status: 404 });
	try {
		const authInfo = await verifyBearerToken(request.headers.get('authorization'), guard);
		return await tools.fetch(request, { authInfo });
	} catch (error) {
		// grantd cannot be asked: that says nothing about the token, which the agent keeps
		if (!(error instanceof OAuthError)) return new Response(null, { status: 503, headers: { 'retry-after': '1' } });
		// 401, and what to ask for to begin with
		return bearerAuthChallengeResponse(error, { requiredScopes: ['notes.read'], resourceMetadataUrl: metadata_url.href });
	}
}

http.createServer(toNodeHandler({ fetch: answer })).listen(LISTEN, '127.0.0.1', () => console.error('ready'));
