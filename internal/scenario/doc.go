// Package scenario reads stories that a person can follow and a test can check.
//
// The one idea: what is told and what comes of it stand in one file, in order.
//
//	# The build is bad: its judge says so, and everybody gets the old one back.
//	deploy v2
//	    00:00:00  begins to shift from 0 % to 5 %
//	at 12m status v2
//	    rolled back
//
// A line that begins with a word is a command, an indented one is what the command
// before it said, and one that begins with # is for the reader. A test carries each
// command out, and compares; with its -update flag it writes what they said now.
package scenario
