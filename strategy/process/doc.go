// Package process replaces one version of a program by another on one machine.
//
// A [Fleet] runs versions as processes, each child on a port of its own, and is the
// [http.Handler] in front of them. As a target of package strategy it has all that a
// plan can need: it starts children and waits until they are ready, moves requests,
// lets a child answer what it has begun, and ends it.
//
//	fleet, err := process.Open(process.Options{
//		State:   "deploy.json",
//		Command: func(version string) *exec.Cmd { return exec.Command("releases/" + version + "/server") },
//		Serving: "1.0.0", // the first time
//		Ready:   "/healthz",
//	})
//	defer fleet.Close()
//	go fleet.Run(ctx) // starts what should run, and what dies
//	go http.ListenAndServe(":8080", fleet)
//	plan, err := strategy.BlueGreen{...}.Plan(strategy.Input{Instances: 2}) // the engine says from which version to which
//	outcome, err := engine.Deploy(ctx, rollout.Request{Release: rollout.Release{Version: "1.1.0"}, Plan: plan, Target: fleet, ...})
//
// Children outlive the tool, and the next one finds them by its state file. While there
// is no tool there is nobody in front of them either: what is served is served by it.
//
// # Guarantees
//
//   - A child gets requests only when it is ready, and it is asked to end only when it
//     has answered those that it got, or had the time for it.
//   - What a child has started ends with it, whatever it does about signals, process
//     groups and sessions: it is known by a mark in its environment, the variable
//     GUIDON_CHILD, and by its parents when the child is told to end. Only a process
//     without it escapes, as some overwrite it that set their title, and only if it has
//     left the process group, and its parents or the child died by themselves.
//   - Everything is in the state file before it is done, but for one thing: requests are
//     taken from a new version even if nothing can be written, see [Fleet.Shift]. A tool
//     that is killed at any moment leaves no child that the next one does not know. A
//     process is known by its number, the time it was started, and the start of the
//     machine, so that nobody else is ever taken for it.
//   - A step that fails leaves the version that serves as it was.
//   - A request of which nothing was sent goes to another connection or another child.
//     Once something was, a child may have seen it: then one that may be repeated (GET,
//     HEAD, OPTIONS and TRACE without a body) is, once, and any other is answered 502. That
//     can meet those that are sent just as a child closes an idle connection: let it keep
//     them for more than 90 seconds, which is when the fleet closes them.
//   - Nothing is started that nobody asked for, but what net/http does for connections. So
//     a child that has died is seen by the next call, and removed from the system's
//     list: by [Fleet.Run], five times in a second. An orphan that ends before the child
//     that left it is process 1's to remove: a container whose process 1 is the tool wants
//     an init before it.
//
// # What a child prints
//
// Standard output and error go to a file for each child, beside the state file. It is not
// a pipe, as that would end with the tool. Whenever the fleet looks at a child whose
// file takes more than 1 MiB, it keeps the last 64 KiB: the rest becomes a hole, or, where
// the file system has none, all of it goes. A child's last lines are in the error of a
// step that it made fail, and in the [Exit].
package process
