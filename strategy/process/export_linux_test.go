package process

// Environ is the environment that a process was started with.
var Environ = environ
