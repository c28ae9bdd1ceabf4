/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"
#include "crypto/certificate.h"

struct world {
	struct check_clock clock;
	struct task task;
	struct new_certificate made;
};

static void start(struct world *world, struct str host)
{
	*world = (struct world){ 0 };
	check_clock_start(&world->clock);
	task_begin(&world->task, &world->clock.clock, NULL);
	CHECK_ERR(certificate_create(&world->task, host, &world->made), OK);
}

static void end(struct world *world)
{
	secret_wipe(&world->made.key_pem);
	task_end(&world->task);
}

static enum err inspect(struct world *world, struct str host, struct certificate_facts *ret_facts)
{
	return certificate_inspect(&world->task, world->made.cert_pem,
				   secret_reveal(&world->made.key_pem), host, ret_facts);
}

static void a_made_certificate_names_its_host_and_matches_its_key(void **state)
{
	static const struct str hosts[] = { STR_INIT("grantd.localhost"), STR_INIT("127.0.0.1"),
					    STR_INIT("[::1]") };
	struct certificate_facts facts;
	struct world world;

	(void)state;
	for (size_t i = 0; i < COUNT_OF(hosts); i++) {
		start(&world, hosts[i]);
		CHECK_ERR(inspect(&world, hosts[i], &facts), OK);
		CHECK(facts.names_host && facts.key_matches);
		CHECK(facts.not_before <= CHECK_NOW);
		CHECK(facts.not_after - CHECK_NOW == CERTIFICATE_DAYS * DAY_MS);
		CHECK_ERR(inspect(&world, STR("other.localhost"), &facts), OK);
		CHECK(!facts.names_host);
		end(&world);
	}
}

static void the_key_of_another_certificate_does_not_match(void **state)
{
	struct certificate_facts facts;
	struct world one, other;

	(void)state;
	start(&one, STR("grantd.localhost"));
	start(&other, STR("grantd.localhost"));
	CHECK(!str_equals(one.made.ca_pem, other.made.ca_pem));
	CHECK_ERR(certificate_inspect(&one.task, one.made.cert_pem,
				      secret_reveal(&other.made.key_pem), STR("grantd.localhost"),
				      &facts),
		  OK);
	CHECK(!facts.key_matches);
	end(&one);
	end(&other);
}

static void texts_that_are_no_pem_are_refused(void **state)
{
	struct certificate_facts facts;
	struct world world;

	(void)state;
	start(&world, STR("grantd.localhost"));
	CHECK_ERR(certificate_inspect(&world.task, STR("x"), secret_reveal(&world.made.key_pem),
				      STR("a"), &facts),
		  ERR_CONFIG);
	CHECK_ERR(certificate_inspect(&world.task, world.made.cert_pem, world.made.cert_pem,
				      STR("a"), &facts),
		  ERR_CONFIG);
	end(&world);
}

int main(void)
{
	return RUN(cmocka_unit_test(a_made_certificate_names_its_host_and_matches_its_key),
		   cmocka_unit_test(the_key_of_another_certificate_does_not_match),
		   cmocka_unit_test(texts_that_are_no_pem_are_refused));
}
