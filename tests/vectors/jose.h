/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Published JOSE examples, and a PS256 pair made with the openssl command, whose private key was
 * not kept.
 */
#pragma once

/* RFC 7515 A.3 (ES256) */
#define EC_X   "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define EC_Y   "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"
#define EC_D   "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI"
#define EC_JWK "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}"
#define PAYLOAD                                                                                    \
	"eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAs"                                             \
	"DQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0"                                             \
	"cnVlfQ"
#define ES256_HEADER "eyJhbGciOiJFUzI1NiJ9"
#define ES256_SIGNATURE                                                                            \
	"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"
#define ES256_JWS ES256_HEADER "." PAYLOAD "." ES256_SIGNATURE

/* RFC 7515 A.2 (RS256) */
#define RSA_N                                                                                      \
	"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbj"                                             \
	"i9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt"                                             \
	"0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b"                                             \
	"32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSX"                                             \
	"ndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2Ca"                                             \
	"pHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5"                                             \
	"IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"
#define RSA_JWK	     "{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\"}"
#define RS256_HEADER "eyJhbGciOiJSUzI1NiJ9"
#define RS256_SIGNATURE                                                                            \
	"cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2Vt"                                             \
	"Qgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W"                                             \
	"2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAyn"                                             \
	"RFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkS"                                             \
	"jtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--x"                                             \
	"i12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnv"                                             \
	"Wh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"
#define RS256_JWS RS256_HEADER "." PAYLOAD "." RS256_SIGNATURE

/* RFC 8037 A.2, A.3, A.4 (EdDSA) */
#define OKP_X	       "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define OKP_JWK	       "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" OKP_X "\"}"
#define OKP_THUMBPRINT "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"
#define EDDSA_SIGNED   "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc"
#define EDDSA_JWS                                                                                  \
	EDDSA_SIGNED ".hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsP"       \
		     "t9g7sVvpAr_MuM0KAg"

/* RFC 7638 3.1 */
#define THUMBPRINT_JWK                                                                             \
	"{\"kty\":\"RSA\",\"n\":\""                                                                \
	"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86z"                         \
	"wu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3"                                             \
	"oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN"                                             \
	"5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaS"                                             \
	"qzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbO"                                             \
	"pbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2Nc"                                             \
	"Rwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU"                                             \
	"8awapJzKnqDKgw\",\"e\":\"AQAB\",\"alg\":\"RS256\",\"kid\":\"2011-04-29\"}"
#define THUMBPRINT "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"

/* PS256 over "a payload"; the same with a salt of 20 bytes, which RFC 7518 3.5 does not allow */
#define PS256_JWK                                                                                  \
	"{\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\""                                                 \
	"0-ZcJi5zRlPbEHCCB6PO1xMHf4we31tCIQ3Sd8X8FxPC"                                             \
	"i9uQJCrqmdOEf--f5ha0Paq04T-V4Jx_0unPVvmvHtnt"                                             \
	"4aBg-QVaemnS1CBde6Y_6oP1jUQZI6ov_c6CM4Ph348K"                                             \
	"JZYP4q839320KAB3F2_Q8e_FCHYA-ouhuys3OHJPLhxD"                                             \
	"Y7oU29lmc7zS80HipF9B8T1G1hCQ8_FYWCFo3Q1R5HVa"                                             \
	"FY-vb8QEruyg9BVabz3ROTSpyv3vcZn4E-QJ_m2tjtJA"                                             \
	"GNjBkWODKdN2Kx5tu9znRngO9atw8yRATFO0PprDom_Pj8-tUm2RHV-tL1_ernIxk3cC41dDAbKhrQ"           \
	"\"}"
#define PS256_SIGNED "eyJhbGciOiJQUzI1NiJ9.YSBwYXlsb2Fk"
#define PS256_SIGNATURE                                                                            \
	"pZ5Nf329-ODxx_sgYWkdDyt6MP8T29NEktT9Ye-hH6T4"                                             \
	"YvQwoINNkq88gZn076UL8a54pcBsWNHjqciZ0z-aVJsn"                                             \
	"gk7pvI-Ary05xMaqADuJ0HmjLXlNxadJ6TEp2DBqmuNv"                                             \
	"xF33gNHbIPW5m1f_0jRiX3prVfrKi5MjBsMctGT2O9Ml"                                             \
	"UQ0rSM4TWbe9nG4yCrpjaQw56o2Nv4nY7os8g9EG04L2"                                             \
	"XMqvNNyTu9m_nFpA4yhw5qbOnT5-qQN_Lfyyl0KzSJcq"                                             \
	"IqAAUckMT6SCVikP2D3rwbBp-TWzQYpF_Z8l7h3iqCGfU6xiJA_DzTW6Mfu7V3R6W098yVWnPv7qEQ"           \
	""
#define PS256_SHORT_SALT                                                                           \
	"m42IjbIi54k5VkT78ybfLgkyUrLkl-upqV_jr0dBYtI8"                                             \
	"wkrlCXj3NoZIWaYEWwh7KAxhm96iBgdIXRgQHMi5kcV-"                                             \
	"BcD92ij8V-LC7H93rrDpgnQ2c9_e8gJWxEPioN0aNpIt"                                             \
	"5T7DEyiCnP8MIJlMNSSJbnDWC9pAg2u3kAWkFV1_3VJk"                                             \
	"b_3-aqPxjqCx9cCtbWhYrABZhvEof66DDmGCzrHgIm39"                                             \
	"CFbVAAIt8K1dsgjg4EoE7LAiwtL_eFyeDVuDcuxqw3wq"                                             \
	"rtBNIknmMTK29ibDhWH_pGXz5RBTmZG4R-KH23xB_X6PmjTiGrKozrPh-cCEGRfq6-tbP0LJ-q26xA"           \
	""

/* RSA of 1024 bits */
#define SMALL_RSA_N                                                                                \
	"8UgYfY-9b9_YigC-jaI7ujTfhvKZrSOddk32soqCYWpN"                                             \
	"ZbwOwh7V9R0-gMuKVCY4C3w1yru0yBFbkRgtQg0hT1Jv"                                             \
	"ItsVJ8WIeQ_xVZH85g_95tDkSkbLBTQG7rTPd6ybVBn96fYVTGMVFvlhFUd4elx58ASGbbn4TIWAIZjfdPE"      \
	""
