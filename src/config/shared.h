/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The settings that make a node answer otherwise than another one of the same database: all but
 * those that are a node's own affair, such as where it listens and where its files are.
 */
#pragma once

#include "base/buf.h"
#include "config/config.h"

/* A line for each value, with the setting's name in front of its first one. */
void config_add_shared(struct buf *text, const struct config *config);
