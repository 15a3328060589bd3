package health

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
)

// TestReadersTakeNoLock, so none can ever wait for a probe, for Run or for one another.
// The lock is held while they read: one that takes it never comes back.
func TestReadersTakeNoLock(t *testing.T) {
	m, err := NewMonitor([]Check{{Name: "db", Probe: func(context.Context) error { return nil }}}, MonitorOptions{})
	if err != nil {
		t.Fatal(err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var readers sync.WaitGroup
	for range 100 {
		readers.Go(func() {
			if got := m.Report(); got.Status != Unknown {
				t.Errorf("got %v", got)
			}
			for range m.Watch(t.Context()) {
				break
			}
			for _, handler := range []http.Handler{m.Live(), m.Ready(), m.Details(nil)} {
				handler.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
			}
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := m.Check(ctx); err == nil {
				t.Error("nothing is known, and the gate says yes")
			}
		})
	}
	readers.Wait()
}
