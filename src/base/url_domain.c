/* SPDX-License-Identifier: Apache-2.0 */
#include "base/url_domain.h"

#include <idn2.h>
#include <libpsl.h>
#include <pthread.h>

#include "base/compiler.h"
#include "base/library.h"

static const char encoded[] = "xn--";

static struct {
	__typeof__(psl_latest) *latest;
	__typeof__(psl_registrable_domain) *registrable;
} psl;

static struct {
	__typeof__(idn2_to_unicode_8z8z) *to_unicode;
	__typeof__(idn2_free) *release;
} idn2;

static const struct library_symbol psl_symbols[] = {
	{ "psl_latest", 0 },
	{ "psl_registrable_domain", sizeof(void *) },
};

static const struct library_symbol idn2_symbols[] = {
	{ "idn2_to_unicode_8z8z", 0 },
	{ "idn2_free", sizeof(void *) },
};

/* Written once, before anybody reads them. */
static pthread_once_t loaded = PTHREAD_ONCE_INIT;
static psl_ctx_t *list; /* NULL: no library */
static bool has_idn2;

static void load(void)
{
	/* the file that the system keeps up to date, or the list of the library's own time */
	if (library_load("libpsl.so.5", psl_symbols, COUNT_OF(psl_symbols), &psl))
		list = psl.latest(NULL);
	has_idn2 = library_load("libidn2.so.0", idn2_symbols, COUNT_OF(idn2_symbols), &idn2);
}

struct str url_registrable_domain(struct arena *arena, struct str host)
{
	struct str tail;

	pthread_once(&loaded, load);
	if (list == NULL)
		return host;
	tail = str_from_c(psl.registrable(list, str_to_c(arena, host)));
	return tail.at == NULL ? host : str_from(host, host.len - tail.len);
}

static bool decode(struct arena *arena, struct str label, struct str *ret_text)
{
	char *found = NULL;

	*ret_text = label;
	if (!str_equals_nocase(str_sub(label, 0, sizeof(encoded) - 1), str_from_c(encoded)))
		return true;
	if (!has_idn2 ||
	    idn2.to_unicode(str_to_c(arena, label), &found, IDN2_NONTRANSITIONAL) != IDN2_OK)
		return false;
	*ret_text = str_copy(arena, str_from_c(found));
	idn2.release(found);
	return true;
}

bool url_host_unicode(struct arena *arena, struct str host, struct str *ret_text)
{
	struct str label, text, decoded = STR_NONE;
	bool is_whole = true;

	pthread_once(&loaded, load);
	/* one by one: a label that nobody can read must not hide the others */
	while (str_next(&host, '.', &label)) {
		is_whole = decode(arena, label, &text) && is_whole;
		decoded = decoded.at == NULL ? text : STR_JOIN(arena, decoded, STR("."), text);
	}
	*ret_text = decoded;
	return is_whole;
}
