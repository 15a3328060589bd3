module github.com/guidon-go/guidon/flag/yaml

go 1.26

require (
	github.com/google/go-cmp v0.7.0
	github.com/guidon-go/guidon v0.0.0
	github.com/stretchr/testify v1.12.1
	go.yaml.in/yaml/v4 v4.0.0
)

require (
	github.com/cespare/xxhash/v2 v2.3.0 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)

replace github.com/guidon-go/guidon => ../..
