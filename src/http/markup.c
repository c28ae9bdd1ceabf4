/* SPDX-License-Identifier: Apache-2.0 */
#include "http/markup.h"

#include <string.h>

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\t';
}

static bool is_name_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == ':';
}

static bool refuse(struct markup *markup, const char *why)
{
	markup->error = why;
	return false;
}

static bool name_is_one_of(const struct markup *markup, const char *const *names)
{
	struct str name = { markup->name, markup->name_len };

	for (; *names != NULL; names++)
		if (str_equals(name, str_from_c(*names)))
			return true;
	return false;
}

static bool is_address(const struct markup *markup)
{
	static const char *const names[] = { "href",	 "src",	       "action", "formaction",
					     "poster",	 "xlink:href", "cite",	 "data",
					     "manifest", "longdesc",   NULL };

	return name_is_one_of(markup, names);
}

/* What the policy of the pages forbids, and what no escaping here would be right for. */
static bool is_forbidden(const struct markup *markup)
{
	static const char *const names[] = { "style", "srcdoc",	    "srcset",	  "imagesrcset",
					     "ping",  "background", "http-equiv", NULL };

	return name_is_one_of(markup, names) ||
	       str_starts_with((struct str){ markup->name, markup->name_len }, STR("on"));
}

static bool tag_is(const struct markup *markup, struct str name)
{
	return str_equals((struct str){ markup->tag, markup->tag_len }, name);
}

static bool read_text(struct markup *markup, char c)
{
	if (c != '<')
		return true;
	markup->place = MARKUP_TAG;
	markup->in_tag_name = true;
	markup->tag_len = markup->name_len = 0;
	return true;
}

static bool end_tag(struct markup *markup)
{
	if (markup->tag_len == 0)
		return refuse(markup, "a '<' that begins no tag (write &lt;)");
	markup->place = MARKUP_TEXT;
	if (tag_is(markup, STR("script")) || tag_is(markup, STR("style")))
		markup->place = MARKUP_RAW;
	markup->name_len = 0;
	return true;
}

static bool read_tag_name(struct markup *markup, char c)
{
	if (markup->tag_len == 0 && c == '!') {
		markup->place = MARKUP_COMMENT;
		markup->is_dashed = false;
		markup->name_len = 0;
		return true;
	}
	if (c == '>')
		return end_tag(markup);
	if (is_space(c)) {
		markup->in_tag_name = false;
		return markup->tag_len > 0 || refuse(markup, "a '<' before a space (write &lt;)");
	}
	if (!is_name_char(c) && c != '/')
		return refuse(markup, "a tag with a name that is not a-z, 0-9");
	if (markup->tag_len == sizeof(markup->tag))
		return refuse(markup, "a tag with a long name");
	markup->tag[markup->tag_len++] = c;
	return true;
}

static bool read_tag(struct markup *markup, char c)
{
	if (markup->in_tag_name)
		return read_tag_name(markup, lower(c));
	if (c == '>')
		return end_tag(markup);
	if (c == '=') {
		if (markup->name_len == 0)
			return refuse(markup, "a '=' without a name before it");
		if (is_forbidden(markup))
			return refuse(markup, "an attribute that pages may not have");
		markup->place = MARKUP_EQUALS;
		return true;
	}
	if (is_space(c) || c == '/') {
		markup->name_len = 0;
		return true;
	}
	c = lower(c);
	if (!is_name_char(c))
		return refuse(markup, "an attribute with a name that is not a-z, 0-9, '-'");
	if (markup->name_len == sizeof(markup->name))
		return refuse(markup, "an attribute with a long name");
	markup->name[markup->name_len++] = c;
	return true;
}

static bool read_value(struct markup *markup, char c)
{
	if (markup->place == MARKUP_EQUALS) {
		if (c != '"')
			return refuse(markup, "an attribute without double quotes");
		markup->place = is_address(markup) ? MARKUP_URL_HEAD : MARKUP_VALUE;
		return true;
	}
	if (c == '"') {
		markup->place = MARKUP_TAG;
		markup->name_len = 0;
	} else if (markup->place == MARKUP_URL_HEAD) {
		markup->place = MARKUP_URL;
	}
	return true;
}

/* name holds the last bytes seen: enough for "-->" and "</script". */
static void remember(struct markup *markup, char c)
{
	if (markup->name_len == 8) {
		memmove(markup->name, markup->name + 1, 7);
		markup->name_len = 7;
	}
	markup->name[markup->name_len++] = lower(c);
}

static bool read_comment(struct markup *markup, char c)
{
	struct str seen;

	remember(markup, c);
	seen = (struct str){ markup->name, markup->name_len };
	if (!markup->is_dashed && str_equals(seen, STR("--"))) {
		markup->is_dashed = true;
		markup->name_len = 0;
	} else if (markup->is_dashed ? str_ends_with(seen, STR("-->")) : c == '>') {
		markup->place = MARKUP_TEXT;
		markup->name_len = 0;
	}
	return true;
}

static bool read_raw(struct markup *markup, char c)
{
	struct str end = tag_is(markup, STR("script")) ? STR("</script") : STR("</style");

	remember(markup, c);
	if (!str_ends_with((struct str){ markup->name, markup->name_len }, end))
		return true;
	markup->place = MARKUP_TAG;
	markup->in_tag_name = false;
	markup->tag[0] = '/';
	markup->tag_len = 1;
	markup->name_len = 0;
	return true;
}

static bool read_byte(struct markup *markup, char c)
{
	switch (markup->place) {
	case MARKUP_TEXT:
		return read_text(markup, c);
	case MARKUP_TAG:
		return read_tag(markup, c);
	case MARKUP_EQUALS:
	case MARKUP_VALUE:
	case MARKUP_URL:
	case MARKUP_URL_HEAD:
		return read_value(markup, c);
	case MARKUP_COMMENT:
		return read_comment(markup, c);
	case MARKUP_RAW:
		return read_raw(markup, c);
	}
	return false;
}

bool markup_read(struct markup *markup, struct str literal)
{
	for (size_t i = 0; i < literal.len; i++)
		if (!read_byte(markup, literal.at[i]))
			return false;
	return true;
}

bool markup_same(const struct markup *a, const struct markup *b)
{
	if (a->place != b->place)
		return false;
	if (a->place == MARKUP_TEXT || a->place == MARKUP_COMMENT || a->place == MARKUP_RAW)
		return true;
	return a->in_tag_name == b->in_tag_name &&
	       str_equals((struct str){ a->tag, a->tag_len }, (struct str){ b->tag, b->tag_len }) &&
	       str_equals((struct str){ a->name, a->name_len },
			  (struct str){ b->name, b->name_len });
}
