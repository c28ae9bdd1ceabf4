/* SPDX-License-Identifier: Apache-2.0 */
/* What an installation that asks for more has already, and who counts as that installation. */
#include "one_task.h"

#include "authority/difference.h"

static const struct str names[] = { STR_INIT("read"), STR_INIT("write"), STR_INIT("send") };
static const struct scope_set all = { names, 3 };
static const struct scope_set reading = { names, 1 };

/* A client that lets in two installations: one reads with a key, one does all without. */
struct scene {
	struct auth_request request;
	struct permission permissions[3];
	struct standing now;
	struct family families[2];
};

static void set(struct scene *scene)
{
	*scene = (struct scene){
		.request = { .client_id = STR("agent"),
			     .resource = STR("https://r"),
			     .scope = all },
		.now = { .user = { .id = STR("usr_1") },
			 .client = { .id = STR("agent"),
				     .kind = STR("operator"),
				     .auth = CLIENT_AUTH_BASIC },
			 .grant = { .id = STR("gra_1"),
				    .user_id = STR("usr_1"),
				    .client_id = STR("agent"),
				    .resource = STR("https://r"),
				    .expires_at = NEVER,
				    .permission_count = 3 } },
	};
	for (size_t i = 0; i < 3; i++)
		scene->permissions[i] = (struct permission){ .scope = names[i],
							     .expires_at = NEVER };
	scene->now.grant.permissions = scene->permissions;
	for (size_t i = 0; i < 2; i++)
		scene->families[i] = (struct family){ .id = i == 0 ? STR("fam_1") : STR("fam_2"),
						      .user_id = STR("usr_1"),
						      .grant_id = STR("gra_1"),
						      .client_id = STR("agent"),
						      .ceiling = i == 0 ? reading : all,
						      .idle_expires_at = NEVER };
	scene->families[0].key_thumbprint = STR("a-key");
}

static struct difference find(const struct scene *scene)
{
	struct difference_asked asked = { .request = &scene->request,
					  .now = &scene->now,
					  .families = scene->families,
					  .family_count = 2,
					  .offered = all };

	return difference_find(&task.arena, &asked, CHECK_NOW);
}

static void check_already(const struct scene *scene, const char *already, const char *besides)
{
	struct difference found = find(scene);

	CHECK(found.is_same);
	CHECK_STR(scope_text(&task.arena, found.already), str_from_c(already));
	CHECK_STR(scope_text(&task.arena, found.besides), str_from_c(besides));
}

static void check_nothing(const struct scene *scene)
{
	struct difference found = find(scene);

	CHECK(!found.is_same);
	CHECK(found.already.count == 0 && found.besides.count == 0);
}

static void a_client_that_authenticates_is_one_party(void **state)
{
	struct scene scene;

	(void)state;
	set(&scene);
	check_already(&scene, "read write send", "");
	scene.families[1].revoked_at = 1;
	scene.families[1].revoked_why = STR("reused");
	check_already(&scene, "read", "");
	scene.request.scope = (struct scope_set){ names + 1, 1 };
	check_already(&scene, "", "read");
}

static void a_public_one_is_what_has_the_key(void **state)
{
	struct scene scene;

	(void)state;
	set(&scene);
	scene.now.client.auth = CLIENT_AUTH_NONE;
	check_nothing(&scene);
	scene.request.dpop_jkt = STR("a-key");
	check_already(&scene, "read", "");
	scene.request.dpop_jkt = STR("another-key");
	check_nothing(&scene);
	/* no key is not the key of who has none */
	scene.request.dpop_jkt = STR("");
	check_nothing(&scene);
}

static void a_device_proves_nothing(void **state)
{
	struct scene scene;

	(void)state;
	set(&scene);
	scene.request.dpop_jkt = STR("a-key");
	scene.request.user_code = STR("tag");
	check_nothing(&scene);
}

static void what_does_not_stand_is_not_had(void **state)
{
	struct scene scene;

	(void)state;
	for (unsigned i = 0; i < 7; i++) {
		set(&scene);
		switch (i) {
		case 0:
			scene.now.grant.paused_at = 1;
			break;
		case 1:
			scene.now.grant.operator_paused_at = 1;
			break;
		case 2:
			scene.now.grant.revoked_at = 1;
			break;
		case 3:
			scene.now.grant.expires_at = CHECK_NOW;
			break;
		case 4:
			scene.now.user.status = USER_DISABLED;
			break;
		case 5:
			scene.request.resource = STR("https://other");
			break;
		default:
			scene.families[0].paused_at = scene.families[1].idle_expires_at = 1;
		}
		check_nothing(&scene);
	}
}

static void a_scope_that_ran_out_or_is_asked_about_each_time_is_new(void **state)
{
	struct scene scene;

	(void)state;
	set(&scene);
	scene.permissions[1].expires_at = CHECK_NOW;
	scene.permissions[2].mode = MODE_ASK;
	check_already(&scene, "read", "");
	scene.permissions[2].mode = MODE_NEVER;
	check_already(&scene, "read", "");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_that_authenticates_is_one_party),
		cmocka_unit_test(a_public_one_is_what_has_the_key),
		cmocka_unit_test(a_device_proves_nothing),
		cmocka_unit_test(what_does_not_stand_is_not_had),
		cmocka_unit_test(a_scope_that_ran_out_or_is_asked_about_each_time_is_new),
	};

	return check_run(tests, COUNT_OF(tests), start, end);
}
