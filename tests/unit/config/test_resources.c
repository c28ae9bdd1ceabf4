/* SPDX-License-Identifier: Apache-2.0 */
/* The folder of resources, on a disk that fails while it is read. */
#include "config/config.h"

#include "crypto/digest.h"
#include "place.h"
#include "short_folder.h"

#define SHARED                                                                                     \
	"{\"title\":\"x\",\"scopes\":[{\"name\":\"read\",\"title\":\"Read\",\"can\":[\"see\"]}],"

static void a_folder_that_is_not_read_to_its_end_has_not_lost_its_resources(void **state)
{
	struct config_source source = { .digest = sha256 };
	const struct config *config = NULL;
	struct place place;

	(void)state;
	place_start(&place);
	source.dir = place.dir;
	place_write(&place, "grantd.conf", "issuer = https://grantd.localhost:8443\n", 0600);
	place_write(&place, "resources/mail.json",
		    SHARED "\"name\":\"mail\",\"uri\":\"https://a.example/mail\"}", 0600);
	place_write(&place, "resources/calendar.json",
		    SHARED "\"name\":\"calendar\",\"uri\":\"https://a.example/calendar\"}", 0600);
	for (int given = 0; given < 4; given++) {
		entries_left = given;
		CHECK_ERR(config_load(&place.task, &source, &config), ERR_CONFIG);
		CHECK(str_contains(place.task.reason, STR("resources: cannot be read")));
	}
	entries_left = -1;
	CHECK_ERR(config_load(&place.task, &source, &config), OK);
	CHECK(config->resource_count == 2);
	config_free(&config);
	place_end(&place);
}

int main(void)
{
	return RUN(
		cmocka_unit_test(a_folder_that_is_not_read_to_its_end_has_not_lost_its_resources));
}
