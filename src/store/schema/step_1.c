/* SPDX-License-Identifier: Apache-2.0 */
#include "store/schema/schema.h"

const char *const schema_step_1[] = {
	"CREATE TABLE users ("
	" id TEXT NOT NULL PRIMARY KEY,"
	" username TEXT NOT NULL UNIQUE,"
	" sealed_profile BYTEA,"
	" version BIGINT NOT NULL,"
	" created_at BIGINT NOT NULL,"
	" disabled_at BIGINT)",

	/*
	 * apart from users: backed up apart, with a shorter life, else a backup would undo an
	 * erasure
	 */
	"CREATE TABLE user_keys ("
	" user_id TEXT NOT NULL PRIMARY KEY REFERENCES users (id),"
	" wrapped_key BYTEA NOT NULL,"
	/* by which root key it is wrapped, as its bytes say too */
	" root_number BIGINT NOT NULL)",
	"CREATE INDEX user_keys_root ON user_keys (root_number, user_id)",

	"CREATE TABLE authenticators ("
	" user_id TEXT NOT NULL REFERENCES users (id),"
	" kind TEXT NOT NULL,"
	" sealed BYTEA NOT NULL,"
	" version BIGINT NOT NULL,"
	" created_at BIGINT NOT NULL,"
	" changed_at BIGINT NOT NULL,"
	" PRIMARY KEY (user_id, kind))",

	/* over_at: when it ended or runs out, whichever is first; what the sweep looks at */
	"CREATE TABLE sessions ("
	" hash BYTEA NOT NULL PRIMARY KEY,"
	" user_id TEXT NOT NULL REFERENCES users (id),"
	" browser_hash BYTEA NOT NULL,"
	" created_at BIGINT NOT NULL,"
	" last_seen_at BIGINT NOT NULL,"
	" expires_at BIGINT NOT NULL,"
	" ended_at BIGINT,"
	" over_at BIGINT NOT NULL,"
	" sealed_agent BYTEA)",
	"CREATE INDEX sessions_user ON sessions (user_id, browser_hash)",
	"CREATE INDEX sessions_over ON sessions (over_at)",

	/* redirect_uris: one per line */
	"CREATE TABLE clients ("
	" id TEXT NOT NULL PRIMARY KEY,"
	" name TEXT NOT NULL,"
	" kind TEXT NOT NULL,"
	" auth TEXT NOT NULL,"
	" secret_hash BYTEA,"
	" secret_expires_at BIGINT,"
	" redirect_uris TEXT NOT NULL,"
	" grant_types TEXT NOT NULL,"
	" scope TEXT NOT NULL,"
	" resource TEXT,"
	/* ids of clients that may act through its tokens */
	" delegates_to TEXT NOT NULL,"
	" not_before BIGINT NOT NULL,"
	" created_at BIGINT NOT NULL,"
	" disabled_at BIGINT,"
	/*
	 * public keys by value, or where they are published (key_sets), the one algorithm it signs
	 * with, since when it must use DPoP, PAR (…_set_at: since when the operator says whether it
	 * must; NULL: it says so itself), and since when its refresh tokens stay the same (NULL:
	 * they rotate)
	 */
	" jwks TEXT,"
	" jwks_uri TEXT,"
	" auth_alg TEXT,"
	" dpop_bound_at BIGINT,"
	" dpop_set_at BIGINT,"
	" par_required_at BIGINT,"
	" par_set_at BIGINT,"
	" refresh_kept_at BIGINT)",

	/*
	 * What was last read at a client's jwks_uri, none of it secret. uri: which one that was.
	 * due_at: when a node reads it by itself; NULL: not before somebody who may has asked.
	 * problem: why the last try came to nothing
	 */
	"CREATE TABLE key_sets ("
	" client_id TEXT NOT NULL PRIMARY KEY REFERENCES clients (id) ON DELETE CASCADE,"
	" uri TEXT NOT NULL,"
	" jwks TEXT,"
	" read_at BIGINT,"
	" tried_at BIGINT,"
	" due_at BIGINT,"
	" problem TEXT)",
	"CREATE INDEX key_sets_due ON key_sets (due_at) WHERE due_at IS NOT NULL",

	/* of the clients that metadata documents make; identity: of name and redirect URIs */
	"CREATE TABLE documents ("
	" client_id TEXT NOT NULL PRIMARY KEY REFERENCES clients (id),"
	" host TEXT NOT NULL,"
	" hash BYTEA NOT NULL,"
	" identity BYTEA NOT NULL,"
	" keys BYTEA,"
	" fetched_at BIGINT NOT NULL,"
	" fresh_until BIGINT NOT NULL,"
	" pinned_at BIGINT)",
	"CREATE INDEX documents_host ON documents (host)",
	"CREATE INDEX documents_fetched ON documents (fetched_at)",

	/*
	 * of clients that registered themselves. token_hash: NULL once the client has deleted its
	 * registration. metadata: JSON, what else it said of itself. unused_since: NULL while
	 * somebody has a grant for it; what is long unused is removed
	 */
	"CREATE TABLE registrations ("
	" client_id TEXT NOT NULL PRIMARY KEY REFERENCES clients (id),"
	" token_hash BYTEA,"
	" metadata TEXT NOT NULL,"
	" register_token TEXT,"
	" unused_since BIGINT,"
	" ended_at BIGINT)",
	"CREATE INDEX registrations_unused ON registrations (unused_since)"
	" WHERE unused_since IS NOT NULL",

	/* with what an agent may register where not everybody may (RFC 7591 3) */
	"CREATE TABLE register_tokens ("
	" id TEXT NOT NULL PRIMARY KEY,"
	" token_hash BYTEA NOT NULL UNIQUE,"
	" name TEXT NOT NULL,"
	" uses BIGINT NOT NULL,"
	" used BIGINT NOT NULL,"
	" created_at BIGINT NOT NULL,"
	" expires_at BIGINT NOT NULL,"
	" revoked_at BIGINT)",

	/*
	 * over_at: when the row may go; what the sweep looks at. client_id refers to no row: a
	 * client may be removed meanwhile, which every look at a request finds
	 */
	"CREATE TABLE requests ("
	" id TEXT NOT NULL PRIMARY KEY,"
	" state TEXT NOT NULL,"
	" browser_hash BYTEA NOT NULL,"
	" client_id TEXT NOT NULL,"
	" resource TEXT NOT NULL,"
	" scope TEXT NOT NULL,"
	" redirect_uri TEXT NOT NULL,"
	" oauth_state TEXT,"
	" code_challenge TEXT NOT NULL,"
	" nonce TEXT,"
	" prompt TEXT,"
	" max_age BIGINT NOT NULL,"
	" login_hint TEXT,"
	" ui_locales TEXT,"
	" created_at BIGINT NOT NULL,"
	" expires_at BIGINT NOT NULL,"
	" user_id TEXT,"
	" shown_at BIGINT,"
	" decided_at BIGINT,"
	" decision TEXT,"
	" grant_id TEXT,"
	" granted TEXT,"
	" auth_time BIGINT,"
	" acr TEXT,"
	" code_hash BYTEA,"
	" code_expires_at BIGINT,"
	" spent_at BIGINT,"
	" family_id TEXT,"
	/* which of its grant's yeses it is */
	" yes BIGINT,"
	" over_at BIGINT NOT NULL,"
	" dpop_jkt TEXT,"
	/* authorization_details (RFC 9396) in the one form; NULL: none */
	" details TEXT,"
	/*
	 * of a device (RFC 8628): a keyed tag of the code that a person types, who asked, how often
	 */
	" user_code BYTEA,"
	" asked_from TEXT,"
	" poll_ms BIGINT,"
	" polled_at BIGINT)",
	"CREATE UNIQUE INDEX requests_code ON requests (code_hash) WHERE code_hash IS NOT NULL",
	"CREATE UNIQUE INDEX requests_user_code ON requests (user_code)"
	" WHERE user_code IS NOT NULL",
	"CREATE INDEX requests_over ON requests (over_at)",

	"CREATE TABLE grants ("
	" id TEXT NOT NULL PRIMARY KEY,"
	" user_id TEXT NOT NULL REFERENCES users (id),"
	" client_id TEXT NOT NULL REFERENCES clients (id),"
	" resource TEXT NOT NULL,"
	" basis TEXT NOT NULL,"
	" created_at BIGINT NOT NULL,"
	" updated_at BIGINT NOT NULL,"
	" expires_at BIGINT NOT NULL,"
	/* two pauses, the person's and the operator's: neither takes back the other's */
	" paused_at BIGINT,"
	" operator_paused_at BIGINT,"
	/* when the database was put back to an older state; as paused_at until confirmed */
	" restored_at BIGINT,"
	" revoked_at BIGINT,"
	" revoked_by TEXT,"
	" last_used_at BIGINT,"
	/* how many there were, which tells before from after where clocks differ */
	" yeses BIGINT NOT NULL,"
	/* the client's delegates_to as the person read it */
	" delegates TEXT NOT NULL)",
	"CREATE UNIQUE INDEX grants_live ON grants (user_id, client_id, resource)"
	" WHERE revoked_at IS NULL",
	"CREATE INDEX grants_user ON grants (user_id, created_at)",
	"CREATE INDEX grants_created ON grants (created_at)",
	"CREATE INDEX grants_end ON grants (expires_at) WHERE revoked_at IS NULL",
	/* also of ended ones: a client is not removed while there are any */
	"CREATE INDEX grants_client ON grants (client_id, id)",

	"CREATE TABLE permissions ("
	" user_id TEXT NOT NULL,"
	" grant_id TEXT NOT NULL REFERENCES grants (id),"
	" scope TEXT NOT NULL,"
	" mode TEXT NOT NULL,"
	" expires_at BIGINT NOT NULL,"
	" words TEXT,"
	" consent_event TEXT,"
	" granted_at BIGINT NOT NULL,"
	/* who was let in by an earlier yes of the grant has lost it: it was over meanwhile */
	" since_yes BIGINT NOT NULL,"
	" PRIMARY KEY (user_id, grant_id, scope))",

	"CREATE TABLE families ("
	" id TEXT NOT NULL PRIMARY KEY,"
	" user_id TEXT NOT NULL,"
	" grant_id TEXT NOT NULL REFERENCES grants (id),"
	" client_id TEXT NOT NULL,"
	" ceiling TEXT NOT NULL,"
	" key_thumbprint TEXT,"
	" seed BYTEA NOT NULL,"
	/* the root key that makes its tokens from generation root_since on, and the one before */
	" root_number BIGINT NOT NULL,"
	" root_since BIGINT NOT NULL,"
	" root_before BIGINT NOT NULL,"
	" generation BIGINT NOT NULL,"
	" rotation_window BYTEA NOT NULL,"
	" repeats BIGINT NOT NULL,"
	" repeats_day BIGINT NOT NULL,"
	" auth_time BIGINT NOT NULL,"
	" acr TEXT,"
	" created_at BIGINT NOT NULL,"
	" last_used_at BIGINT NOT NULL,"
	" idle_expires_at BIGINT NOT NULL,"
	" revoked_at BIGINT,"
	" revoked_why TEXT,"
	/* as those of the request it came from, as far as they were allowed */
	" details TEXT,"
	" paused_at BIGINT,"
	/*
	 * an alias of the address it came from last; that one, the first one and its name, sealed
	 */
	" seen_mark TEXT,"
	" sealed_first BYTEA,"
	" sealed_last BYTEA,"
	" seen_at BIGINT,"
	" sealed_name BYTEA,"
	" named_at BIGINT)",
	"CREATE INDEX families_grant ON families (user_id, grant_id, created_at)",
	"CREATE INDEX families_root ON families (root_number) WHERE revoked_at IS NULL",

	/* by which consent an installation has a scope that it did not come with */
	"CREATE TABLE widenings ("
	" user_id TEXT NOT NULL,"
	" family_id TEXT NOT NULL,"
	" scope TEXT NOT NULL,"
	" grant_id TEXT NOT NULL,"
	" consent_event TEXT NOT NULL,"
	" PRIMARY KEY (user_id, family_id, scope))",

	/*
	 * who acts through an installation, as events and pages name them: "agent#label other", the
	 * last one through those before it. stopped_at of the empty path stops all of them.
	 */
	"CREATE TABLE sub_agents ("
	" user_id TEXT NOT NULL,"
	" family_id TEXT NOT NULL,"
	" path TEXT NOT NULL,"
	" first_at BIGINT NOT NULL,"
	" last_at BIGINT NOT NULL,"
	" last_used_at BIGINT,"
	" live_until BIGINT NOT NULL,"
	" stopped_at BIGINT,"
	" PRIMARY KEY (user_id, family_id, path))",
	"CREATE INDEX sub_agents_end ON sub_agents (live_until) WHERE stopped_at IS NULL",

	/*
	 * The one token that each exchanged subject token became, whose jti follows from the
	 * subject's. Kept while the subject lives, which is as long as the other one at least. The
	 * key lets the tokens of one parent, which are counted before each exchange, lie together.
	 */
	"CREATE TABLE derivations ("
	" user_id TEXT NOT NULL,"
	" family_id TEXT NOT NULL,"
	" parent TEXT NOT NULL,"
	" jti TEXT NOT NULL,"
	" path TEXT NOT NULL,"
	" wish_hash BYTEA NOT NULL,"
	" issued_at BIGINT NOT NULL,"
	" expires_at BIGINT NOT NULL,"
	" over_at BIGINT NOT NULL,"
	" revoked_at BIGINT,"
	" PRIMARY KEY (user_id, family_id, parent, jti))",
	"CREATE INDEX derivations_over ON derivations (over_at)",

	/* name is a keyed hash of who is counted; swept soon all the same */
	"CREATE TABLE counters ("
	" name TEXT NOT NULL,"
	" window_at BIGINT NOT NULL,"
	" used BIGINT NOT NULL,"
	" last_at BIGINT NOT NULL,"
	" expires_at BIGINT NOT NULL,"
	" PRIMARY KEY (name, window_at))",
	"CREATE INDEX counters_end ON counters (expires_at)",

	/* what every node counted of guesses; name is a keyed hash of who is counted for what */
	"CREATE TABLE throttles ("
	" name TEXT NOT NULL PRIMARY KEY,"
	" used BIGINT NOT NULL,"
	" ends_at BIGINT NOT NULL)",
	"CREATE INDEX throttles_end ON throttles (ends_at)",

	/* what was shown and holds once: DPoP proofs and client assertions, by a hash */
	"CREATE TABLE spent ("
	" name BYTEA NOT NULL PRIMARY KEY,"
	" ends_at BIGINT NOT NULL)",
	"CREATE INDEX spent_end ON spent (ends_at)",

	/* the daemons that serve this database; settings and resources are hashes to be compared */
	"CREATE TABLE nodes ("
	" id TEXT NOT NULL PRIMARY KEY,"
	" name TEXT NOT NULL,"
	" version TEXT NOT NULL,"
	" settings TEXT NOT NULL,"
	" resources TEXT NOT NULL,"
	" root_keys TEXT NOT NULL,"
	" started_at BIGINT NOT NULL,"
	" seen_at BIGINT NOT NULL,"
	" clock_at BIGINT NOT NULL)",

	/* work that one node does at a time; fence: how often it changed hands */
	"CREATE TABLE leases ("
	" name TEXT NOT NULL PRIMARY KEY,"
	" holder TEXT NOT NULL,"
	" ends_at BIGINT NOT NULL,"
	" fence BIGINT NOT NULL)",

	"CREATE TABLE outbox ("
	" id TEXT NOT NULL PRIMARY KEY,"
	" kind TEXT NOT NULL,"
	" user_id TEXT,"
	" payload TEXT NOT NULL,"
	" due_at BIGINT NOT NULL,"
	" attempts BIGINT NOT NULL,"
	" created_at BIGINT NOT NULL)",
	"CREATE INDEX outbox_due ON outbox (due_at)",

	/*
	 * ids begin with the time, so new rows come last in the primary key (a random one costs
	 * three times)
	 */
	"CREATE TABLE events ("
	" id TEXT NOT NULL PRIMARY KEY,"
	" at BIGINT NOT NULL,"
	" kind TEXT NOT NULL,"
	" actor TEXT NOT NULL,"
	" user_id TEXT,"
	" client_id TEXT,"
	" grant_id TEXT,"
	" family_id TEXT,"
	" request_id TEXT,"
	" resource TEXT,"
	" details TEXT,"
	" sealed BYTEA)",
	"CREATE INDEX events_user ON events (user_id, at)",
	/* few: what clients do while no person is concerned */
	"CREATE INDEX events_nobodys ON events (client_id) WHERE user_id IS NULL",

	/*
	 * Of a consent: up to when something was in force by it that is not any more. Beside its
	 * event, which is large and stays as it was written.
	 */
	"CREATE TABLE proofs ("
	" user_id TEXT NOT NULL,"
	" event_id TEXT NOT NULL,"
	" proves_until BIGINT NOT NULL,"
	" PRIMARY KEY (user_id, event_id))",

	"CREATE TABLE keys ("
	" id TEXT NOT NULL PRIMARY KEY,"
	" purpose TEXT NOT NULL,"
	" alg TEXT NOT NULL,"
	" public_jwk TEXT NOT NULL,"
	" sealed BYTEA NOT NULL,"
	" created_at BIGINT NOT NULL,"
	" not_before BIGINT NOT NULL,"
	" retire_at BIGINT)",

	"CREATE TABLE facts ("
	" name TEXT NOT NULL PRIMARY KEY,"
	" value TEXT NOT NULL)",

	/* times that only go forward: how far something has come */
	"CREATE TABLE marks ("
	" name TEXT NOT NULL PRIMARY KEY,"
	" value BIGINT NOT NULL)",

	/* the resource files that were last taken up */
	"CREATE TABLE resources ("
	" name TEXT NOT NULL PRIMARY KEY,"
	" uri TEXT NOT NULL,"
	" file_hash TEXT NOT NULL)",
	NULL,
};
