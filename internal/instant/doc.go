// Package instant turns times into nanoseconds since 1970, which compare with <.
//
// The one idea: a time that an int64 cannot hold (before September 1677, after
// April 2262) becomes the least or the greatest int64, so that comparing it with
// any other still says the right thing. Reading a text never allocates, not even
// when it is no time: time.Parse does.
package instant
