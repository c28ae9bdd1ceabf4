/* SPDX-License-Identifier: Apache-2.0 */
#include "http/parameter.h"

#include "base/buf.h"
#include "base/url.h"

void parameters_add(struct buf *buf, const struct parameter *parameters, size_t count)
{
	bool is_first = true;

	for (size_t i = 0; i < count; i++) {
		if (parameters[i].value.at == NULL)
			continue;
		if (!is_first)
			buf_add_char(buf, '&');
		is_first = false;
		buf_add_c(buf, parameters[i].name);
		buf_add_char(buf, '=');
		url_encode(buf, parameters[i].value);
	}
}
