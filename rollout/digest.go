package rollout

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Digest is the SHA-256 of what is at a path, as "sha256:" and 64 hexadecimal digits
// in lower case. It reads as it goes, and stops with the context's error when the
// context ends. A link at the path itself is followed.
//
// Of a file it is that of the content, as sha256sum prints it. Of a folder it is that
// of a list with one entry for each thing below it, hidden ones included, in the order
// of their paths as bytes (LC_ALL=C sort -z). A path is the one from the folder, with
// slashes and without "./". Each entry ends in a zero byte, and has these fields, with
// one space between them:
//
//	d PATH        a folder
//	f SUM PATH    a file; SUM is the SHA-256 of its content, as 64 digits
//	x SUM PATH    a file that its owner may execute (mode 0100); on Windows none is
//	l SUM PATH    a symbolic link, which is not followed; SUM is that of its text, with slashes
//
// Nothing else counts: no other mode, owner or time. So a digest survives a copy, tar
// and rsync; git and zip may lose empty folders. Pipes, sockets and devices are
// errors, and so is an empty path.
//
// What changes meanwhile is an error as well, as far as it can be seen: when all is read,
// each file, folder and link still has to be the same one, of the same mode, size and time
// of modification. A write that sets that time back, or that comes within one tick of it,
// is not noticed.
func Digest(ctx context.Context, path string) (string, error) {
	sum, err := digestOf(ctx, path)
	if err != nil {
		return "", &Error{"digest", path, err}
	}
	return "sha256:" + sum, nil
}

func digestOf(ctx context.Context, path string) (string, error) {
	if path == "" { // which would be the current folder
		return "", fmt.Errorf("%w: found an empty path, want that of a file or a folder", ErrInvalid)
	}
	root, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	info, err := os.Lstat(root)
	if err != nil {
		return "", err
	}
	var nodes []node
	sum := ""
	if info.IsDir() {
		nodes, sum, err = sumFolder(ctx, root)
	} else {
		sum, err = sumFile(ctx, root, info)
	}
	for _, n := range append(nodes, node{"", info}) {
		if err == nil {
			err = n.unchanged(root)
		}
	}
	if now, wrong := filepath.EvalSymlinks(path); err == nil && now != root {
		err = errors.Join(changed(path), wrong)
	}
	return sum, err
}

// sumFolder is the SHA-256 of the list of a folder.
func sumFolder(ctx context.Context, root string) ([]node, string, error) {
	nodes, err := tree(ctx, root)
	if err != nil {
		return nil, "", err
	}
	list := sha256.New()
	for _, n := range nodes {
		if err := n.write(ctx, root, list); err != nil {
			return nil, "", err
		}
	}
	return nodes, hex.EncodeToString(list.Sum(nil)), nil
}

// node is a folder, or something in it.
type node struct {
	path string // from the folder, with slashes
	info fs.FileInfo
}

func (n node) in(root string) string { return filepath.Join(root, filepath.FromSlash(n.path)) }

// unchanged says no if it is not what was found before it was read.
func (n node) unchanged(root string) error {
	now, err := os.Lstat(n.in(root))
	if err != nil {
		return err
	}
	if was := n.info; !os.SameFile(was, now) || was.Mode() != now.Mode() || was.Size() != now.Size() || !was.ModTime().Equal(now.ModTime()) {
		return changed(n.in(root))
	}
	return nil
}

func changed(path string) error { return fmt.Errorf("%s: has changed while it was read", path) }

// tree lists what is below a folder in the order of a digest.
func tree(ctx context.Context, root string) (all []node, err error) {
	err = filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err = errors.Join(ctx.Err(), err); err != nil || path == root {
			return err
		}
		info, err := os.Lstat(path) // an entry's own may be out of date on Windows
		if err != nil {
			return err
		}
		path, err = filepath.Rel(root, path)
		all = append(all, node{filepath.ToSlash(path), info})
		return err
	})
	slices.SortFunc(all, func(a, b node) int { return strings.Compare(a.path, b.path) })
	return all, err
}

// write adds it to a list.
func (n node) write(ctx context.Context, root string, list hash.Hash) error {
	path := n.in(root)
	kind, sum := "f", ""
	var err error
	switch mode := n.info.Mode(); {
	case mode.IsDir():
		fmt.Fprintf(list, "d %s\x00", n.path)
		return ctx.Err()
	case mode&fs.ModeSymlink != 0:
		var to string
		to, err = os.Readlink(path)
		text := sha256.Sum256([]byte(filepath.ToSlash(to)))
		kind, sum = "l", hex.EncodeToString(text[:])
	default:
		if mode&0o100 != 0 {
			kind = "x"
		}
		sum, err = sumFile(ctx, path, n.info)
	}
	fmt.Fprintf(list, "%s %s %s\x00", kind, sum, n.path)
	return errors.Join(err, ctx.Err())
}

// sumFile is the SHA-256 of a file that was found at a path.
func sumFile(ctx context.Context, path string, found fs.FileInfo) (string, error) {
	if !found.Mode().IsRegular() { // opening a pipe may take for ever
		return "", fmt.Errorf("%s: found %v, want files, folders and symbolic links", path, found.Mode())
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if now, err := f.Stat(); err != nil || !os.SameFile(found, now) {
		return "", errors.Join(changed(path), err)
	}
	h := sha256.New()
	if _, err := io.Copy(h, until{ctx, f}); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// until is a reader that ends with a context.
type until struct {
	ctx context.Context
	r   io.Reader
}

func (u until) Read(p []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(p)
}
