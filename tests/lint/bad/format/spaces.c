/* SPDX-License-Identifier: Apache-2.0 */
/* lint: format */
int f( int x ){ return x ; }
