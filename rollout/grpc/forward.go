package guidongrpc

import (
	"context"

	"google.golang.org/grpc/metadata"

	"github.com/guidon-go/guidon/flag"
)

// SubjectKey is the metadata that [ClientOptions].Forward sends. It is binary, so that
// any key is sent as it is.
const SubjectKey = "guidon-subject-bin"

// maxForwarded is the longest key that is sent or believed, in bytes: many servers
// take 8 kB of metadata in all.
const maxForwarded = 1024

// Forwarded returns the key of the subject that the caller of this server sent along
// ([ClientOptions].Forward), to build a subject of: flag.For(guidongrpc.Forwarded(ctx)).
// It is empty, which is nobody, if there is none, or one of more than 1,024 bytes. Of
// several, it is the last, from whoever was nearest.
//
// Anybody can send it. Ask for it only where all callers are your own.
func Forwarded(ctx context.Context) string {
	keys := metadata.ValueFromIncomingContext(ctx, SubjectKey)
	if len(keys) == 0 || len(keys[len(keys)-1]) > maxForwarded {
		return ""
	}
	return keys[len(keys)-1]
}

// outgoing is the context of what is sent.
func (o *ClientOptions) outgoing(ctx context.Context) context.Context {
	if !o.Forward {
		return ctx
	}
	subject := flag.FromContext(ctx).Subject()
	if key := subject.Key(); key != "" && len(key) <= maxForwarded {
		return metadata.AppendToOutgoingContext(ctx, SubjectKey, key) // the last counts
	}
	// What a proxy has copied from the call before is of somebody else.
	if sent, ok := metadata.FromOutgoingContext(ctx); ok && len(sent.Get(SubjectKey)) > 0 {
		sent.Delete(SubjectKey)
		return metadata.NewOutgoingContext(ctx, sent)
	}
	return ctx
}
