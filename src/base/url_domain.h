/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of hosts as people should read them: which part somebody registered (the public suffix
 * list, libpsl), and what an internationalised one says (libidn2). Both libraries are loaded when
 * first used; without them a host stands for itself.
 */
#pragma once

#include <stdbool.h>

#include "base/str.h"

struct arena;

/*
 * "example.co.uk" of "a.b.example.co.uk", a tail of the given slice: who controls it may be
 * somebody else than who controls its neighbours. The host itself where the list has no more to say
 * (an address, a single label, a public suffix).
 */
struct str url_registrable_domain(struct arena *arena, struct str host);
/*
 * Its labels "xn--…" in Unicode, for looking at what they would look like; never to be shown in
 * place of the host, which comes without a port. False if one of them does not decode, which then
 * stays as it is.
 */
bool url_host_unicode(struct arena *arena, struct str host, struct str *ret_text);
