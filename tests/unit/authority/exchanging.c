/* SPDX-License-Identifier: Apache-2.0 */
#include "exchanging.h"

#include "authority/revoke.h"

struct access exchanged_seen;

static const struct str helpers[] = { STR_INIT("helper") };
const struct scope_set exchanging_helper = { helpers, 1 };
const struct scope_set exchanging_nobody = { helpers, 0 };

enum err exchanging_look(struct str token)
{
	exchanged_seen = (struct access){ 0 };
	return access_token_verify(world_task(&office.world), &office.authority, token,
				   &exchanged_seen);
}

void exchanging_change(const char *id, struct client_change wish)
{
	struct client client;
	struct str secret;

	wish.id = str_from_c(id);
	CHECK_ERR(client_change(world_task(&office.world), &office.authority, &wish, &client,
				&secret),
		  OK);
}

int exchanging_start(void **state)
{
	struct new_client wish = { .client = { .id = STR("helper"),
					       .name = STR("Helper"),
					       .auth = CLIENT_AUTH_POST,
					       .grant_types = GRANT_TOKEN_EXCHANGE },
				   .secret = STR(OFFICE_SECRET) };
	struct client client;
	struct str secret;

	office_start(state);
	CHECK_ERR(client_create(world_task(&office.world), &office.authority, &wish, &client,
				&secret),
		  OK);
	exchanging_change("agent", (struct client_change){ .grant_types = GRANT_AUTHORIZATION_CODE |
									  GRANT_REFRESH_TOKEN |
									  GRANT_TOKEN_EXCHANGE,
							   .delegates_to = &exchanging_helper });
	return 0;
}

enum err exchanging_step(struct task *task, void *arg)
{
	return token_exchange(task, &office.authority, arg, office_finished);
}

enum err exchanging_run(struct token_wish *wish)
{
	world_task(&office.world);
	return world_run(&office.world.home, exchanging_step, wish);
}

struct token_wish exchanging_wish(const char *client, struct str subject, const char *label)
{
	struct token_wish wish = office_wish(&office, client);

	wish.subject_token = subject;
	wish.subject_token_type = STR(TOKEN_TYPE_ACCESS);
	wish.actor_label = str_from_c(label);
	return wish;
}

struct token_answer exchanging_derived(const char *client, struct str subject, const char *label)
{
	struct token_wish wish = exchanging_wish(client, subject, label);

	CHECK_ERR(exchanging_run(&wish), OK);
	return wish.answer;
}

struct str exchanging_fresh(struct token_answer *tokens)
{
	struct token_wish wish;

	CHECK_ERR(office_refresh_with(&office, tokens->refresh_token, &wish), OK);
	*tokens = wish.answer;
	return tokens->access_token;
}

static enum err revoke_step(struct task *task, void *arg)
{
	return token_revoke(task, &office.authority, arg, office_finished);
}

void exchanging_revoke(const char *client, struct str token)
{
	struct revocation revocation = { .client = office_wish(&office, client).client,
					 .token = token };

	world_task(&office.world);
	CHECK_ERR(world_run(&office.world.home, revoke_step, &revocation), OK);
}
