/* SPDX-License-Identifier: Apache-2.0 */
/* lint: columns */
/* a comment that goes on and on until it has passed the hundredth column, which is as far as we go */
