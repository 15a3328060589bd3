package rollout_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/guidon-go/guidon/rollout"
)

// A digest is that of sha256sum for a file; the documentation says how to compute that
// of a folder.
func ExampleDigest() {
	dir, err := os.MkdirTemp("", "build")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "shop")
	if err := os.WriteFile(file, []byte("v1"), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(rollout.Digest(context.Background(), file))
	fmt.Println(rollout.Digest(context.Background(), dir))
	// Output:
	// sha256:3bfc269594ef649228e9a74bab00f042efc91d5acc6fbee31a382e80d42388fe <nil>
	// sha256:c14fb244000b289c08b970a99798b07a4d32b5e3daec3a1833933dffa957c00b <nil>
}
