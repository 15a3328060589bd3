package guidongrpc_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	pb "google.golang.org/grpc/interop/grpc_testing"
	"google.golang.org/grpc/metadata"

	"github.com/guidon-go/guidon/flag"
	guidongrpc "github.com/guidon-go/guidon/rollout/grpc"
)

var (
	greeting = flag.String("greeting", "default")
	method   = flag.Attr[string]("method")
)

func greetings(t testing.TB) *flag.Store {
	t.Helper()
	store := flag.New(flag.Bytes([]byte(`{"flags": {"greeting": {
		"variants": {"hello": "hello", "hej": "hej"}, "serve": "hello",
		"rules": [{"if": {"attr": "method", "prefix": "/grpc.testing"}, "serve": "hej"}]}}}`)), flag.Options{})
	require.NoError(t, store.Load(t.Context()))
	return store
}

// byMetadata is how a host finds its subject.
func byMetadata(ctx context.Context, full string) flag.Subject {
	users := metadata.ValueFromIncomingContext(ctx, "user")
	if len(users) == 0 {
		return flag.Subject{}
	}
	return flag.For(users[0], method.Is(full))
}

// TestView: every handler has the view of whom the call is for, and without Who of nobody.
func TestView(t *testing.T) {
	flags := greetings(t)
	none := func(context.Context, string) flag.Subject { return flag.Subject{} }
	tests := []struct {
		name, key, greeting string
		options             guidongrpc.ServerOptions
	}{
		{"somebody", "ann", "hej", guidongrpc.ServerOptions{Flags: flags, Who: byMetadata}},
		{"nobody", "", "hello", guidongrpc.ServerOptions{Flags: flags, Who: none}},
		{"nobody is asked for", "", "hello", guidongrpc.ServerOptions{Flags: flags}},
		{"no flags", "", "default", guidongrpc.ServerOptions{Who: byMetadata}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var key, greets string
			look := func(ctx context.Context) error {
				subject := flag.FromContext(ctx).Subject()
				key, greets = subject.Key(), greeting.In(ctx)
				return nil
			}
			conn := inMemory(t, tested(&service{unary: look, stream: func(s grpc.ServerStream) error { return look(s.Context()) }}), serving(tt.options))
			ctx := metadata.AppendToOutgoingContext(t.Context(), "user", "ann")
			client := pb.NewTestServiceClient(conn)
			_, err := client.UnaryCall(ctx, &pb.SimpleRequest{})
			require.NoError(t, err)
			require.Equal(t, []string{tt.key, tt.greeting}, []string{key, greets})
			key, greets = "unset", "unset"
			stream, err := client.StreamingOutputCall(ctx, &pb.StreamingOutputCallRequest{})
			require.NoError(t, err)
			_, err = stream.Recv()
			require.Error(t, err, "its end")
			require.Equal(t, []string{tt.key, tt.greeting}, []string{key, greets})
		})
	}
}

// TestForward: the next server knows whom a call is for, whatever is in the key.
func TestForward(t *testing.T) {
	var got string
	var sent, other []string
	look := func(ctx context.Context) error {
		got, sent = guidongrpc.Forwarded(ctx), metadata.ValueFromIncomingContext(ctx, guidongrpc.SubjectKey)
		other = metadata.ValueFromIncomingContext(ctx, "other")
		return nil
	}
	register := tested(&service{unary: look, stream: func(s grpc.ServerStream) error { return look(s.Context()) }})
	conn := inMemory(t, register, nil, calling(guidongrpc.ClientOptions{Forward: true})...)
	silent := inMemory(t, register, nil, calling(guidongrpc.ClientOptions{})...)
	call := func(ctx context.Context, conn *grpc.ClientConn) string {
		got = "unset"
		_, err := pb.NewTestServiceClient(conn).UnaryCall(ctx, &pb.SimpleRequest{})
		require.NoError(t, err)
		unary := got
		got = "unset"
		stream, err := pb.NewTestServiceClient(conn).StreamingOutputCall(ctx, &pb.StreamingOutputCallRequest{})
		require.NoError(t, err)
		_, err = stream.Recv()
		require.Error(t, err, "its end")
		require.Equal(t, unary, got)
		return got
	}
	longest := strings.Repeat("x", 1024)
	for key, want := range map[string]string{
		"ann": "ann", "": "", "Åsa\n\x00 R&D, 漢字": "Åsa\n\x00 R&D, 漢字", "\xff\xfe": "\xff\xfe", "a,b": "a,b", longest: longest, longest + "x": "",
	} {
		ctx := flag.NewContext(t.Context(), greetings(t).View(flag.For(key)))
		require.Equal(t, want, call(ctx, conn))
		require.Equal(t, want != "", len(sent) == 1)
		stale := metadata.AppendToOutgoingContext(ctx, guidongrpc.SubjectKey, "mallory", "other", "stays")
		require.Equal(t, want, call(stale, conn), "whoever was there before")
		require.Equal(t, []string{"stays"}, other)
		require.Empty(t, call(ctx, silent), "nothing is sent by default")
	}
	require.Empty(t, call(t.Context(), conn), "no view")
	many := metadata.AppendToOutgoingContext(t.Context(), guidongrpc.SubjectKey, "far", guidongrpc.SubjectKey, "near")
	require.Equal(t, "near", call(many, silent))
	require.Empty(t, call(metadata.AppendToOutgoingContext(t.Context(), guidongrpc.SubjectKey, longest+"x"), silent), "not believed, either")
	require.Empty(t, guidongrpc.Forwarded(t.Context()), "no call")
}

// TestStreamKeepsItsView: a kill reaches what looks again.
func TestStreamKeepsItsView(t *testing.T) {
	flags := flag.New(flag.Bytes([]byte(`{"flags": {"steady": {"ramp": {"percent": 100}}}}`)), flag.Options{OnChange: func(flag.ChangeInfo) {}})
	require.NoError(t, flags.Load(t.Context()))
	var got []bool
	conn := inMemory(t, tested(&service{stream: func(stream grpc.ServerStream) error {
		got = append(got, steady.On(stream.Context()))
		if err := flags.Kill("steady", flag.Change{Actor: "anna", Reason: "it burns"}); err != nil {
			return err
		}
		subject := flag.FromContext(stream.Context()).Subject()
		ctx := flag.NewContext(stream.Context(), flags.View(subject)) // for each message, say
		got = append(got, steady.On(stream.Context()), steady.On(ctx))
		return nil
	}}), serving(guidongrpc.ServerOptions{Flags: flags, Who: byMetadata}))
	stream, err := pb.NewTestServiceClient(conn).StreamingOutputCall(metadata.AppendToOutgoingContext(t.Context(), "user", "ann"), &pb.StreamingOutputCallRequest{})
	require.NoError(t, err)
	_, err = stream.Recv()
	require.Equal(t, io.EOF, err)
	require.Equal(t, []bool{true, true, false}, got)
}
