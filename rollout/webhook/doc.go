// Package webhook posts what happens to rollouts to a URL, signed.
//
// [Run] follows a journal, and keeps in a file how far it has come: the journal is its
// queue. So it is never in the way of an engine, needs no memory for what waits, and
// delivers every [rollout.Notice] at least once, in order, also over crashes of this
// process, or of the engine's, which may be another one:
//
//	follow := func(ctx context.Context) iter.Seq2[rollout.Record, error] { return rollout.Follow(ctx, "state") }
//	err := webhook.Run(ctx, follow, webhook.Options{
//		URL:     "https://chat.example/hooks/deploys",
//		Secrets: []webhook.Secret{webhook.Secret(os.Getenv("WEBHOOK_SECRET"))}, // whsec_...
//		Cursor:  "state/webhook.json",
//	})
//
// # What is sent
//
// A POST of a [Payload] as JSON, in the way of Standard Webhooks 1.0.0
// (https://www.standardwebhooks.com), with the headers
//
//	webhook-id         Notice.ID: the same however often it is sent, also after a restart
//	webhook-timestamp  the seconds since 1970 of this attempt
//	webhook-signature  for each secret, with spaces between: "v1," and the base64 of the
//	                   HMAC-SHA256, under it, of "ID.TIMESTAMP.BODY"
//
// Any answer of 2xx is a receipt. A receiver checks the signature, as [Verify] does, and
// drops an ID that it has seen. A signature keeps others from forging a notice and not
// from reading it: for that, the URL has to be one of https.
//
// # What happens when it fails
//
// It is sent again, after one second, two, four, and so on up to Options.Pause, each
// time up to a half less at random, and not before an answer's Retry-After, of at most an
// hour; Options.GiveUp, if that is given, comes first. Meanwhile nothing overtakes it. An answer of 410 Gone ends Run with [ErrGone].
// Redirects are not followed: they are failures. No proxy of the environment is used,
// unless Options.Client does. Neither a secret, nor the URL but for scheme and host, is
// in an error or a log line.
//
// What was never sent can only be sent as long as the journal has it: keep its old files
// until the webhook has caught up. OnProblem is told which records were gone before.
//
// # Guarantees
//
//   - Signatures are those of the specification: TestVector.
//   - Whenever this process dies, everything is delivered at least once, and in order:
//     TestCrashes.
//   - No file of the journal is open while it waits to send something again:
//     TestNothingIsOpen.
package webhook
