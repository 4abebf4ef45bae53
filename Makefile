# Every way to build, check and show this project; `make help` lists them.
#
# Nothing here needs an answer from a person or a terminal: what runs on a desk runs the same way in CI.

SHELL := /bin/bash
# Without pipefail a recipe whose first command fails in a pipe would count as done.
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
# Some targets share their name with a folder, and none of them is a file that make could compare by date.
.PHONY: help deps build test lint bench fuzz demo docs bench-json bench-long \
	build-tests vectors vector-tool vectors-independent vectors-published test-only soak format clean demo-stop
# Two swift commands in one .build wait for each other's lock: `make -j` would only mix up the order and the output.
.NOTPARALLEL:

# SwiftPM's own link to the debug products, whatever machine this is.
BIN := .build/debug
# Benchmarks and Fuzz are packages of their own; a checkout without them still lints.
SWIFT_SOURCES = $(wildcard Sources Tests Package.swift Benchmarks Fuzz)

# A house test checks that these are the eight targets that `make help` lists first.

deps: ## install what a fresh Debian 12 lacks; quiet and quick when nothing is missing
	@Scripts/deps.sh

build: deps ## build everything for debugging
	swift build

# The order is part of the promise: swift test comes last, so that its verdict is the last thing a reader sees.
test: deps build-tests lint vectors vectors-independent vectors-published test-only ## check everything

lint: ## hold every Swift file to .swift-format
	swift format lint --strict --parallel --recursive $(SWIFT_SOURCES)

bench: deps ## measure against the yardsticks and print one table (minutes)
	swift run -c release --package-path Benchmarks mandate-bench

fuzz: deps ## feed broken input to the parsers for a bounded time
	Fuzz/run.sh
	swift build
	Scripts/fuzz-issuer.sh

demo: deps ## tell the core story on the real services, and try everything that must not work
	swift build
	Scripts/demo.sh

docs: deps ## write the reference of every target into .build/docs, offline
	Scripts/docs.sh

# ── More ────────────────────────────────────────────────────────────────────────────────────────────────────────────

demo-stop: #+ end what make demo left running, and leave nothing of it behind
	@Scripts/demo.sh stop

bench-json: deps #+ the same table as JSON on standard output, and nothing else there
	@swift run -c release --package-path Benchmarks mandate-bench --json

bench-long: deps #+ the table with its long rows (much longer)
	swift run -c release --package-path Benchmarks mandate-bench --long

# One build for the vector tool, the house rules and the tests: debug products and tests come out of the same pass.
build-tests: deps #+ build everything, tests included
	swift build --build-tests

# Further folders come from the environment, and only when they are set: an empty argument would be a path.
vectors: vector-tool #+ verify the published test vectors and print one line per file
	$(BIN)/mandate-vectors verify --partial Vectors \
	  $${MANDATE_VECTORS:+"$$MANDATE_VECTORS"} $${MANDATE_WYCHEPROOF:+"$$MANDATE_WYCHEPROOF"}

# Built each time: code that was changed and not built would be verified as it was before.
vector-tool:
	@swift build --quiet --product mandate-vectors

# A second implementation, not ours, must arrive at the same bytes. Its interpreters are no dependency of the build, so
# a machine without one says by name what it did not check.
vectors-independent: #+ re-derive our vectors with implementations that are not ours
	@Scripts/independent-vectors.sh

# The collections are larger than this repository and not ours to copy; the script names itself skipped without network.
vectors-published: vector-tool #+ verify published vector collections, fetched once into a cache
	@folder=$$(Scripts/fetch-published-vectors.sh); \
	if [ -n "$$folder" ]; then $(BIN)/mandate-vectors verify "$$folder"; fi

# The suites that talk to a server come last and one test at a time: their deadlines are meant for a server that gets
# its turn, not for a machine that two hundred other tests keep busy.
SERVER_SUITES := PostgresTests|StoreTests|OperatorTests|HTTPServingTests|HTTPFetchingTests|IdentityTests|ServiceHostTests|DevelopmentTests|GrantIssuerTests|InputResolverTests|EndToEndTests
test-only: #+ run the tests that are already built
	swift test --skip-build --skip '$(SERVER_SUITES)'
	swift test --skip-build --no-parallel --filter '$(SERVER_SUITES)'

# The same tests of the store, and of the built resolver on its bad days, as in `make test`, with more rounds:
# MANDATE_SOAK_ROUNDS=5 make soak for a short one.
# The drivers in Python look at plans, restores and old databases; they take two minutes.
soak: deps build-tests #+ run races and bad days thousands of rounds (about two hours)
	python3 Tests/StoreSQL/run.py
	Scripts/soak.sh

format: #+ let swift format repair what it can
	swift format --in-place --parallel --recursive $(SWIFT_SOURCES)

clean: #+ remove what was built (not .mandate, which may hold keys)
	rm -rf .build Benchmarks/.build Fuzz/.build

# Targets explain themselves: `##` puts one on the list, `#+` on the list below it.
help:
	@echo 'make <target>'; echo
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' Makefile
	@echo; echo 'and, less often'; echo
	@awk -F ':.*#[+] ' '/^[a-z-]+:.*#[+] / { printf "  %-20s %s\n", $$1, $$2 }' Makefile
