# c10k: `make help` is the front door.
#
# A server is one file in servers/; a unit test one file in tests/unit/. Both are found by wildcard.
# Missing packages are installed by scripts/setup.sh, once, when build/config.mk is made.

BUILD    ?= build
PLAN     ?= c10k
CC       ?= cc
OPT      ?= -O2 -g
WARNINGS  = -Wall -Wextra -Wshadow -Wconversion -Wswitch-enum -Wvla -Wstrict-prototypes -Wundef \
            -Wformat=2 -Wpointer-arith
WERROR   ?=
CFLAGS   += -std=c11 -D_GNU_SOURCE -I. $(OPT) $(WARNINGS) $(WERROR) $(SANITIZE) -fno-common -pthread -MMD -MP
CXXFLAGS += -std=c++20 -D_GNU_SOURCE -I. $(OPT) $(filter-out -Wshadow -Wstrict-prototypes,$(WARNINGS)) \
            -Wno-missing-field-initializers $(WERROR) $(SANITIZE) -fno-common -pthread -MMD -MP
LDFLAGS  += $(SANITIZE) -pthread

MAKEFLAGS += --jobs=$(shell nproc)

.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY:
.PHONY: all data servers programs setup bench report test unit check layers accuracy decide perf help clean diff \
        new-server list doctor c100k c1m
.DEFAULT_GOAL := help

# --- parts: every .c file of a folder --------------------------------------------------------------

core_src    := $(wildcard lib/core/*.c)
sys_src     := $(wildcard lib/sys/*.c)
loadgen_src := $(wildcard loadgen/*.c)
harness_src := $(wildcard harness/*.c)
unit_src    := $(wildcard tests/unit/test_*.c)
objects      = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

# config.mk holds SERVERS and each part's library flags; make starts over once it is there
no_config := help clean diff new-server setup
ifneq ($(filter-out $(no_config),$(or $(MAKECMDGOALS),help)),)
include $(BUILD)/config.mk
endif
# servers/. is newer when a file came or went
$(BUILD)/config.mk: scripts/packages.txt scripts/configure.sh scripts/setup.sh servers/. \
                    servers/rust/src/bin/. $(wildcard servers/*.c servers/*.cc)
	@scripts/setup.sh
	@mkdir -p $(BUILD)
	@CC="$(CC)" CXX="$(CXX)" scripts/configure.sh >$@.tmp && mv $@.tmp $@

programs: $(BUILD)/c10k $(BUILD)/loadgen
servers: $(addprefix $(BUILD)/servers/,$(SERVERS))
	@rm -f $(filter-out $^,$(wildcard $(BUILD)/servers/*))
all: programs servers ## build everything

$(BUILD)/obj/%.o: %.c $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(CFLAGS_$(firstword $(subst /, ,$*))) $(CFLAGS_$(notdir $*)) -c -o $@ $<
$(BUILD)/obj/%.o: %.cc $(BUILD)/config.mk
	@mkdir -p $(@D)
	$(CXX) $(CXXFLAGS) $(CFLAGS_$(notdir $*)) -c -o $@ $<

$(BUILD)/libcore.a: $(call objects,$(core_src))
	@rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/libsys.a: $(call objects,$(sys_src))
	@rm -f $@ && $(AR) rcs $@ $^

$(BUILD)/servers/%: $(BUILD)/obj/servers/%.o $(BUILD)/libsys.a $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_$*) $(LIBS_servers)

# the runtimes of Rust: one cargo for all, in a copy, since cargo writes beside Cargo.toml
rust_files := $(wildcard $(addprefix servers/rust/,Cargo.toml build.rs .cargo/config.toml src/*.rs src/bin/*.rs))
rust        = $(BUILD)/rust
$(BUILD)/libbridge.a: $(BUILD)/obj/servers/rust/bridge.o
	@rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/rust/built: $(rust_files) $(BUILD)/libbridge.a $(BUILD)/libsys.a $(BUILD)/libcore.a
	@rm -rf $(rust)/src && mkdir -p $(rust)
	@cp -Rp $(addprefix servers/rust/,.cargo Cargo.toml build.rs src) $(rust)
	cd $(rust) && $(CARGO) build --release --quiet >log 2>&1 || { cat log >&2; false; }
	@touch $@
$(addprefix $(BUILD)/servers/,$(RUST_SERVERS)): $(BUILD)/servers/%: $(BUILD)/rust/built
	@mkdir -p $(@D)
	cp $(rust)/target/release/$* $@
$(BUILD)/rust/built: export C10K_BUILD = $(abspath $(BUILD))
$(BUILD)/rust/built: export RUSTFLAGS = $(addprefix -Clink-arg=,$(SANITIZE))

# goroutines: in a copy, too, for go would compile bridge.c in its own way; nothing is written or read elsewhere
go_files := $(wildcard servers/go/*.go) servers/go/go.mod servers/go/bridge.h
go        = $(BUILD)/go
$(BUILD)/libgobridge.a: $(BUILD)/obj/servers/go/bridge.o
	@rm -f $@ && $(AR) rcs $@ $^
$(BUILD)/servers/go: $(go_files) $(BUILD)/libgobridge.a $(BUILD)/libsys.a $(BUILD)/libcore.a
	@rm -rf $(go)/src && mkdir -p $(go)/src $(go)/tmp $(@D)
	@cp -p $(go_files) $(go)/src
	@rm -f $@ # go does not see that an archive has changed
	cd $(go)/src && $(GO) build -o "$(abspath $@)"
$(BUILD)/servers/go: export GOENV = off
$(BUILD)/servers/go: export GOPROXY = off
$(BUILD)/servers/go: export GOFLAGS = -buildvcs=false
$(BUILD)/servers/go: export GOCACHE = $(abspath $(go)/cache)
$(BUILD)/servers/go: export GOPATH = $(abspath $(go)/path)
$(BUILD)/servers/go: export GOTMPDIR = $(abspath $(go)/tmp)
$(BUILD)/servers/go: export CGO_ENABLED = 1
$(BUILD)/servers/go: export CGO_CFLAGS = $(OPT)
$(BUILD)/servers/go: export CGO_LDFLAGS = '-L$(abspath $(BUILD))' -lgobridge -lsys -lcore $(LIBS_servers) -pthread $(SANITIZE)

$(BUILD)/loadgen: $(call objects,$(loadgen_src)) $(BUILD)/libsys.a $(BUILD)/libcore.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_loadgen) -lm
$(BUILD)/obj/harness/schema.o: harness/schema.sql # .incbin: no .d file tells
$(BUILD)/obj/harness/report_assets.o: harness/report.css harness/report.js $(wildcard scripts/plots/*.gp)
$(BUILD)/c10k: $(call objects,$(harness_src)) $(BUILD)/libsys.a $(BUILD)/libcore.a
	$(CC) $(LDFLAGS) -o $@ $^ $(LIBS_harness) -lm
$(BUILD)/unit/%: $(BUILD)/obj/tests/unit/%.o $(BUILD)/libsys.a $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS_tests) -lm
# tests of the harness's parts, and the parts they need
$(BUILD)/unit/test_plan: $(call objects,harness/plan.c harness/plan_servers.c harness/plan_rates.c)
$(BUILD)/unit/test_cells: $(call objects,harness/plan.c harness/plan_servers.c harness/plan_rates.c \
	harness/cells.c harness/capacity.c harness/row.c harness/timeline_spans.c harness/cpus.c harness/paths.c)
$(BUILD)/unit/test_timeline: $(call objects,harness/timeline_spans.c)
$(BUILD)/unit/test_raw: $(call objects,harness/raw.c)
$(BUILD)/unit/test_verdict: $(call objects,harness/verdict.c harness/row.c harness/timeline_spans.c \
	harness/tasks.c harness/taskstats.c harness/tree.c)
$(BUILD)/unit/test_tree: $(call objects,harness/tree.c harness/tasks.c harness/taskstats.c harness/memory.c)
$(BUILD)/unit/test_report: $(call objects,$(addprefix harness/,report_points.c report_answers.c report_answers_paced.c \
	report_answers_mixed.c report_phrases.c report_grade.c report_ramp.c report_fits.c report_text.c row.c \
	timeline_spans.c plan.c plan_servers.c plan_rates.c))
$(BUILD)/unit/test_report_doc: $(call objects,harness/report_doc.c harness/report_text.c)
$(foreach test,plan cells verdict tree report,$(BUILD)/unit/test_$(test)): LIBS_tests += $(LIBS_harness)

# the load generator's yardstick, and who holds it against it
$(BUILD)/accuracy/%: $(BUILD)/obj/tests/accuracy/%.o $(BUILD)/libsys.a $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS_tests) -lm
# the least a client over epoll can do: for tests/perf/perf.sh
$(BUILD)/perf/bare_client: $(BUILD)/obj/tests/perf/bare_client.o $(BUILD)/libsys.a $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^
# epoll, slower by a known time a request: for tests/accuracy/decide.sh
$(BUILD)/decide/slowed: $(call objects,servers/epoll.c tests/accuracy/slowed.c) $(BUILD)/libsys.a $(BUILD)/libcore.a
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -Wl,--wrap=conn_feed -o $@ $^ $(LIBS_servers)
$(BUILD)/accuracy/accuracy: $(call objects,tests/accuracy/trial.c harness/process.c)

# --- what people type ------------------------------------------------------------------------------

setup: ## install what scripts/packages.txt lists and this machine lacks
	@scripts/setup.sh
	@rm -f $(BUILD)/config.mk
# what /file/N reads from: the pattern of /bytes over and over, so that any 4,096 bytes of it are alike
DATA_MIB ?= 256
$(BUILD)/data.bin:
	@mkdir -p $(@D)
	@yes 0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_ | tr -d '\n' | \
		head -c $$(($(DATA_MIB) * 1048576)) >$@.tmp && mv $@.tmp $@
data: $(BUILD)/data.bin
bench: all data ## measure every server and write the report: make bench [PLAN=quick|c10k|full]
	@$(BUILD)/c10k bench $(PLAN) $(ARGS)
report: all ## make the report of a run again: make report [RUN=results/latest]
	@$(BUILD)/c10k report $(or $(RUN),results/latest)
list doctor: programs servers
	@$(BUILD)/c10k $@
check: all ## prove that the servers are equivalent: make check [SERVER=epoll]
	@$(BUILD)/c10k check $(or $(SERVER),all)
test: all layers ## everything that must hold
	@BUILD=$(BUILD) tests/run.sh
unit: $(patsubst tests/unit/%.c,$(BUILD)/unit/%,$(unit_src)) ## unit tests only
	@for test in $^; do $$test || exit 1; done
layers: $(BUILD)/libcore.a ## prove that the core is pure and includes run one way
	@scripts/layers.sh $(BUILD)
accuracy: all ## the load generator against a server whose delays are known; wants a quiet machine
	@BUILD=$(BUILD) tests/accuracy/accuracy.sh
decide: all ## are equal servers tied and slower ones found? half an hour on a quiet machine
	@BUILD=$(BUILD) tests/accuracy/decide.sh
perf: all $(BUILD)/perf/bare_client ## load generator against wrk and the least possible, epoll against nginx: ratios from one run
	@BUILD=$(BUILD) tests/perf/perf.sh
c100k c1m: all ## hold 100,000 or 1,000,000 connections on this machine, drawn over time with their memory
	@BUILD=$(BUILD) scripts/scale.sh $(if $(filter c1m,$@),1000000,100000)
new-server: ## a new model from a commented skeleton: make new-server NAME=mine
	@scripts/new-server.sh "$(NAME)"
source_of = $(or $(firstword $(wildcard servers/$(1).c servers/$(1).cc servers/rust/src/bin/$(1).rs servers/$(1)/$(1).go)),\
                 $(error diff: no server "$(1)": give two, as in make diff A=thread B=epoll))
diff: ## what a model is: make diff A=thread B=epoll
	@git diff --no-index --color=auto --stat -p $(call source_of,$(A)) $(call source_of,$(B)) || true
clean: ## remove build/ (results/ stays)
	rm -rf $(BUILD)
help:
	@awk 'BEGIN { FS = ":.*## " } /^[a-z0-9-]+( [a-z0-9-]+)*:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
