# SPDX-License-Identifier: Apache-2.0
# The front door for people. It only calls meson and tools/*; each target does its own set-up.
.DEFAULT_GOAL := help
.PHONY: help all test lint unit flow browser fuzz-replay demo pages test-rows bench bench-docs soak fresh \
	install uninstall deb clean

help: ## what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

all: ## build the programs (build/release)
	@tools/install-deps build
	@tools/build release

test: ## everything: unit, flow on both databases, browser, fuzz-replay, lint
	@tools/test all

lint: ## the rules of the house
	@tools/test lint

unit: ## unit tests, gcc with ASan and UBSan
	@tools/test unit

flow: ## the real daemon with real clients, on SQLite and on PostgreSQL
	@tools/test flow

browser: ## the pages in headless Chromium
	@tools/test browser

fuzz-replay: ## every fuzz target over its seeds
	@tools/test fuzz-replay

demo: ## one person, one agent, one mailbox (AUTO=1: Chromium is the person)
	@tools/install-deps build node demo
	@tools/build release
	@AUTO='$(AUTO)' tools/run-part demo

pages: ## a picture of every page, and what axe says about it
	@tools/install-deps build node browser
	@tools/build release
	@tools/run-part pages

test-rows: ## each row of tests/rows/rows.tsv: passed, waits, follows or missing
	@tools/test-rows

bench: ## beside its peers, 25 minutes (QUICK=1: the guards only; ONLY='refresh issue': these rows)
	@tools/install-deps build node
	@tools/build release
	@QUICK='$(QUICK)' ONLY='$(ONLY)' PAIRS='$(PAIRS)' SECONDS='$(SECONDS)' tools/run-part bench

bench-docs: ## put the last bench's table into docs/performance.md
	@tools/bench --docs

soak: ## flows under TSan, longer fuzzing and its coverage, power cuts, 1,000 kills (SECONDS_EACH=600 POWER=5 ROUNDS=25)
	@tools/install-deps build test node
	@SECONDS_EACH='$(SECONDS_EACH)' PARTS='$(PARTS)' POWER='$(POWER)' ROUNDS='$(ROUNDS)' tools/run-part soak

fresh: ## the README's commands on a bare Debian 12, in a chroot
	@tools/fresh

deb: ## the Debian package, in build/package
	@tools/install-deps build package
	@tools/package

install: all ## install build/release (DESTDIR and meson's prefix are honoured)
	@meson install -C build/release

uninstall: ## remove what the last install of build/release installed (the same DESTDIR); never /var/lib/grantd
	@ninja -C build/release uninstall

clean: ## remove what was built, keep what was downloaded
	@tools/clean
