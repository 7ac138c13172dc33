# Short names. What each does stands in the script or preset that it calls.
.PHONY: demo test up down stack build figures bench compare asan tsan fuzz chaos seeded format tidy

demo:
	./deploy/demo

test:
	./tests/run

build:
	./deploy/setup
	cmake --preset release
	cmake --build --preset release

# What `semel up` starts, without the tests
stack:
	./deploy/setup
	cmake --preset release
	cmake --build --preset stack

# The whole stack with test gateways, in ./.semel
up: stack
	build/release/bin/semel up --sim

down:
	build/release/bin/semel down

figures: build
	./loadtest/figures/run
	./loadtest/figures/throttle

# Semel beside what its users would pick instead and beside what the wire allows; wants an idle machine and installs more
bench: build
	./loadtest/bench/setup
	./loadtest/bench/run

# Kannel and Semel, killed in the middle of the same messages
compare: build
	./tests/peers/crash

# Every test under a sanitizer; the backing servers are not instrumented.
asan tsan:
	./tests/run --preset $@

fuzz:
	./tests/fuzz/run

# Five minutes of fresh seeds in the simulation, then the whole stack
chaos:
	./deploy/setup
	cmake --preset chaos
	cmake --build --preset chaos
	cmake --build --preset chaos --target simulation_test
	SEMEL_SIM_SECONDS=300 build/chaos/bin/simulation_test
	./tests/chaos/run

# The tests' own test: seeded bugs, each of which must be caught
seeded:
	./deploy/setup
	./tests/simulation/seeded
	./tests/chaos/seeded

sources = $(shell git ls-files '*.cpp' '*.hpp')

format:
	clang-format-19 -i $(sources)

tidy:
	./deploy/setup
	cmake --preset release
	run-clang-tidy-19 -quiet -p build/release '$(CURDIR)/(common|services|tests)/.*\.cpp$$'
