// Package guidon is the map of the library; it holds no code, and nothing
// imports it.
//
// Guidon decides who sees a change, watches what happens to them, and takes the
// change from 0 % to 100 % or back by itself, in your own process, with no
// server.
//
//   - [github.com/guidon-go/guidon/flag]: who sees it?
//   - [github.com/guidon-go/guidon/health]: is it well?
//   - [github.com/guidon-go/guidon/verify]: does it work?
//   - [github.com/guidon-go/guidon/strategy]: how does one version replace another?
//   - [github.com/guidon-go/guidon/rollout]: what happens next, and what happened?
//
// flag, health, verify and strategy know nothing of one another; rollout is the
// only package that knows them all.
package guidon
