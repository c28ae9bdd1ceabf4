/* SPDX-License-Identifier: Apache-2.0 */
/* lint: todo */
/* TODO: the hard half */
