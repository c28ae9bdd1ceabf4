/* SPDX-License-Identifier: Apache-2.0 */
/* lint: unwatched */
/* another file has a static one of this name */
int keep(const char *from)
{
	return list_names(from);
}
