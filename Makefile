# What people type first; ./dev does the work and explains itself.
.PHONY: build test images up helm-lint lint clean

build:
	./dev build
test:
	./dev test
images:
	./dev images
up:
	./dev up
helm-lint:
	./dev helm-lint
lint:
	./dev lint
clean:
	./dev clean
