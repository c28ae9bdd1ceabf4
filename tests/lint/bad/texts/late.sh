#!/bin/sh
# lint: licence
# SPDX-License-Identifier: Apache-2.0
