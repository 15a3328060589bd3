package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// database is a folder with a file for each order, and one for the schema: simpler to
// read than SQLite, and all that a change of the schema needs. One process at a time.
type database struct {
	dir     string
	mu      sync.Mutex // guards the files, and what follows
	columns []string   // that an order's amount is in: total, total_cents or both
}

// order is one row.
type order struct {
	ID    string `json:"id"`
	Item  string `json:"item"`
	Total string `json:"total,omitempty"`       // "12.50"
	Cents *int   `json:"total_cents,omitempty"` // 1250
}

// oldOrders is how many there are when the shop opens for the first time.
const oldOrders = 400

func oldID(i int) string    { return fmt.Sprintf("old-%03d", i) }
func oldTotal(i int) string { return amount(995 + 11*i) }

func openDatabase(dir string, old int) (*database, error) {
	db := &database{dir: dir, columns: []string{"total"}}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(db.path("schema"))
	if err == nil {
		return db, json.Unmarshal(text, &db.columns)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for i := range old {
		if err := db.put(order{ID: oldID(i), Item: "tea", Total: oldTotal(i)}); err != nil {
			return nil, err
		}
	}
	return db, db.alter("total") // last, so that half a database is made anew
}

func (db *database) path(name string) string { return filepath.Join(db.dir, name+".json") }

// write replaces a file, whole. Called with mu held.
func (db *database) write(name string, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	next := filepath.Join(db.dir, "next")
	if err := os.WriteFile(next, text, 0o600); err != nil {
		return err
	}
	return os.Rename(next, db.path(name))
}

// read is called with mu held.
func (db *database) read(id string) (o order, err error) {
	text, err := os.ReadFile(db.path(id))
	if err != nil {
		return o, err
	}
	return o, json.Unmarshal(text, &o)
}

// schema is the columns, for people.
func (db *database) schema() string {
	db.mu.Lock()
	defer db.mu.Unlock()
	return "id, item, " + strings.Join(db.columns, ", ")
}

func (db *database) has(column string) bool {
	db.mu.Lock()
	defer db.mu.Unlock()
	return slices.Contains(db.columns, column)
}

// alter says which columns there are from now on. Orders keep what they have.
func (db *database) alter(columns ...string) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	if err := db.write("schema", columns); err != nil {
		return err
	}
	db.columns = columns
	return nil
}

// put inserts an order. While there are both columns, the database fills in the one that
// is missing, as a trigger does: so both versions write both.
func (db *database) put(o order) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	total, cents := slices.Contains(db.columns, "total"), slices.Contains(db.columns, "total_cents")
	switch {
	case o.Total != "" && !total:
		return errors.New("orders has no column total")
	case o.Cents != nil && !cents:
		return errors.New("orders has no column total_cents")
	case total && cents:
		if err := o.fill(); err != nil {
			return err
		}
	}
	return db.write(o.ID, o)
}

func (db *database) get(id string) (order, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	return db.read(id)
}

func (db *database) remove(id string) error {
	db.mu.Lock()
	defer db.mu.Unlock()
	return os.Remove(db.path(id))
}

// each changes every order, one at a time, with a rest now and then for those who wait.
// Orders that come meanwhile are as the schema says. Those that were changed before are
// passed over, so that whoever is cut short comes further the next time.
func (db *database) each(ctx context.Context, change func(*order) error) error {
	entries, err := os.ReadDir(db.dir)
	if err != nil {
		return err
	}
	changed := 0
	for _, entry := range entries {
		id, found := strings.CutSuffix(entry.Name(), ".json")
		if !found || id == "schema" {
			continue
		}
		did, err := db.change(id, change)
		if err != nil {
			return err
		}
		if !did {
			continue
		}
		if changed++; changed%100 == 0 {
			select {
			case <-time.After(30 * time.Millisecond):
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return nil
}

func (db *database) change(id string, change func(*order) error) (did bool, err error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	o, err := db.read(id)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // removed meanwhile
	} else if err != nil {
		return false, err
	}
	was := o
	if err := change(&o); err != nil || o == was {
		return false, err
	}
	return true, db.write(id, o)
}

// fill makes the one column from the other.
func (o *order) fill() error {
	if o.Cents != nil {
		o.Total = amount(*o.Cents)
		return nil
	}
	cents, err := inCents(o.Total)
	if err != nil {
		return fmt.Errorf("order %s: total: %w", o.ID, err)
	}
	o.Cents = &cents
	return nil
}

// amount is 1250 as "12.50".
func amount(cents int) string { return fmt.Sprintf("%d.%02d", cents/100, cents%100) }

// inCents is "12.50" as 1250.
func inCents(amount string) (int, error) {
	whole, part, _ := strings.Cut(amount, ".")
	cents, err := strconv.Atoi(whole + part)
	if err != nil || len(part) != 2 || cents < 0 {
		return 0, fmt.Errorf("found %q, want an amount like \"12.50\"", amount)
	}
	return cents, nil
}
