module github.com/guidon-go/guidon/flag/openfeature

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/guidon-go/guidon v0.0.0
	github.com/open-feature/go-sdk v1.20.0
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	go.uber.org/mock v0.6.0 // indirect
	golang.org/x/sync v0.24.0 // indirect
)

replace github.com/guidon-go/guidon => ../..
