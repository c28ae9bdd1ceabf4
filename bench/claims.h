/* SPDX-License-Identifier: Apache-2.0 */
/* The claims of an access token as grantd writes them: what the benches sign. */
#pragma once

#define BENCH_CLAIMS                                                                               \
	"{\"iss\":\"https://grantd.example\",\"sub\":\"usr_abcdefghijklmnopqrstuvwxyz\","          \
	"\"aud\":\"https://grantd.example/r/mail\",\"client_id\":\"mail-agent\","                  \
	"\"scope\":\"mail.read\",\"exp\":1795597500,\"iat\":1795597200,"                           \
	"\"jti\":\"tok_abcdefghijklmnopqrstuvwxyz\","                                              \
	"\"grant_id\":\"gra_abcdefghijklmnopqrstuvwxyz\","                                         \
	"\"family_id\":\"fam_abcdefghijklmnopqrstuvwxyz\"}"
