/* SPDX-License-Identifier: Apache-2.0 */
/* TODO(#12): the hard half */
int homepage; /* /homework/x */
