/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The holder's side of a question: asks the holder and fills the answer. Private to crypto and
 * keyd.
 */
#pragma once

#include "crypto/holder.h"
#include "crypto/key_channel.h"
#include "crypto/key_message.h"

/*
 * Everything of *ret_answer is task memory. A refusal is an answer too: its error and reason stand
 * in it.
 */
void key_service_answer(struct task *task, struct key_holder *holder,
			const struct key_question *question, struct key_answer *ret_answer);

/* What is at the far end of channels: a holder, or the reason why there is none. */
struct key_service {
	struct key_holder *holder; /* NULL: every question is refused */
	enum err refusal;
	struct str reason;
};

/* One message as it came. ERR_SYNTAX, and there is no answer, when it is malformed. */
MUST_CHECK enum err key_service_message(struct task *task, const struct key_service *service,
					struct str message, struct str *ret_frame);
/*
 * Answers on one channel until the asker closes it (OK). ERR_SYNTAX, or ERR_TOO_LARGE for the
 * answer: something else than our own code is asking, and must not be answered any more. ERR_IO:
 * the asker died in the middle.
 */
MUST_CHECK enum err key_service_run(const struct key_service *service,
				    const struct key_channel *channel);
