# What each of these needs, it finds, installs or says; see scripts/.

.PHONY: help run build test bench bench-close fuzz soak clean

help:
	@echo 'make run    build, and serve a sandbox on 127.0.0.1:8080'
	@echo 'make test   every test, on SQLite, PostgreSQL and in a browser'
	@echo 'make bench  measure captures a second beside SQL by hand and pgbench'
	@echo 'make bench-close  measure the daily close of a million open deferred payments'
	@echo 'make fuzz   look for bad input for longer (FUZZTIME=1m each)'
	@echo 'make soak   the tests of crashes, races and random walks for longer (SOAK=20)'
	@echo 'make clean  remove what was built'

build:
	go build -o bin/tradecredit ./cmd/tradecredit

run: build
	bin/tradecredit serve

test:
	@scripts/test

bench:
	go run ./internal/bench

bench-close:
	go run ./internal/bench/closing

fuzz:
	@scripts/fuzz

soak:
	@scripts/soak

clean:
	rm -rf bin e2e/node_modules e2e/out
