# What every experiment begins with: the built tools before all others on PATH, a shell that notices failures.

PIPELINES := $(dir $(lastword $(MAKEFILE_LIST)))
BUILD ?= build
export PATH := $(abspath $(BUILD))/bin:$(PATH)
SHELL = bash
.SHELLFLAGS = -euo pipefail -c
ifeq ($(wildcard $(BUILD)/bin/rs-infer)$(shell command -v rs-infer),)
$(error the tools are not built: make)
endif

.DELETE_ON_ERROR:
.SECONDARY:
