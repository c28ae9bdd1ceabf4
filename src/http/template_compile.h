/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the text of a template to a flat list of steps, with the place of the markup that each
 * value stands in. Part of http/template.
 */
#pragma once

#include "base/err.h"
#include "base/str.h"

struct task;
struct arena;

#define TEMPLATE_STEPS_MAX    4096
#define TEMPLATE_SECTIONS_MAX 16

enum step_kind {
	STEP_TEXT,     /* literal markup */
	STEP_VALUE,    /* in text or an attribute: HTML-escaped */
	STEP_URL,      /* begins an address: checked, then HTML-escaped */
	STEP_URL_PART, /* later in an address: percent-encoded */
	STEP_SENTENCE, /* of the locale */
	STEP_SECTION,  /* `other` is the step of its end */
	STEP_INVERTED, /* the same */
	STEP_END,      /* of the section at `other` */
	STEP_PARTIAL,  /* `other` is the template's index once linked */
};

struct step {
	enum step_kind kind;
	struct str text; /* the literal, or the name */
	size_t other;
	unsigned line;
};

struct template
{
	struct str name;
	struct step *steps;
	size_t count;
};

/*
 * The steps live in arena and borrow from text, which must live as long. ERR_CONFIG with
 * "NAME.html:LINE: why".
 */
MUST_CHECK enum err template_compile(struct task *task, struct arena *arena, struct str name,
				     struct str text, struct template *ret_template);
