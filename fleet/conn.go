package fleet

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/nats-io/nats.go"

	"loadgen/internal/secret"
)

// A Dial says how the server is reached, and how one is let in there.
type Dial struct {
	URL   string // nats://host:port or tls://host:port, perhaps with /NAME behind it
	Token string
	Creds string // a file of credentials, of a server that has accounts
	NKey  string // a file with the seed of a key
	CA    string // a file of certificates; empty for those of the system
}

// name is what tells batches apart that share a server: what stands behind the
// address.
func (d Dial) name() (address, name string) {
	u, err := url.Parse(d.URL)
	if err != nil || strings.Trim(u.Path, "/") == "" {
		return d.URL, "batch"
	}
	name = strings.Trim(u.Path, "/")
	u.Path = ""
	return u.String(), name
}

// shown is the address as it may be told: without a password.
func (d Dial) shown() string { return secret.HideURL(d.URL) }

// What a connection is called: by the name, in which stands its key, the server
// knows what a worker may say and hear.
const (
	coordinatorName = "loadgen coordinator"
	workerName      = "loadgen worker "
)

// connect connects to the server, and goes on trying to whenever the connection
// is lost. Answers come where nobody listens who does not know the key.
func (d Dial) connect(name, key string, more ...nats.Option) (*nats.Conn, string, error) {
	address, batch := d.name()
	if strings.ContainsAny(batch, ".*> \t") {
		return nil, "", fmt.Errorf("%s: the name behind the address must be one word without dots", d.shown())
	}
	options := []nats.Option{
		nats.Name(name), nats.ErrorHandler(ignore), nats.CustomInboxPrefix(inboxOf(key)), nats.MaxReconnects(-1), nats.ReconnectWait(250 * time.Millisecond),
		nats.PingInterval(time.Second), nats.MaxPingsOutstanding(3), nats.Timeout(5 * time.Second),
		nats.ReconnectBufSize(-1), // what cannot be sent now is sent again by who wants it
	}
	if d.Token != "" {
		options = append(options, nats.Token(d.Token))
	}
	if d.Creds != "" {
		options = append(options, nats.UserCredentials(d.Creds))
	}
	if d.NKey != "" {
		key, err := nats.NkeyOptionFromSeed(d.NKey)
		if err != nil {
			return nil, "", fmt.Errorf("reading the key %s: %w", d.NKey, err)
		}
		options = append(options, key)
	}
	if d.CA != "" {
		pem, err := os.ReadFile(d.CA)
		if err != nil {
			return nil, "", fmt.Errorf("reading the certificates: %w", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, "", fmt.Errorf("%s has no certificates in it", d.CA)
		}
		options = append(options, nats.Secure(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}))
	}
	conn, err := nats.Connect(address, append(options, more...)...)
	if err != nil {
		return nil, "", fmt.Errorf("connecting to %s: %w", secret.HideURL(address), err)
	}
	return conn, "loadgen." + batch + ".", nil
}

// ignore takes what goes wrong beside the calls that it went wrong for: what did
// not arrive is sent again.
func ignore(*nats.Conn, *nats.Subscription, error) {}

// inboxOf is in front of the subjects where the answers come for who has a key.
func inboxOf(key string) string { return nats.InboxPrefix + key }

// newKey makes a key up.
func newKey() string {
	var b [20]byte
	_, _ = io.ReadFull(rand.Reader, b[:]) // which never fails
	return base32.StdEncoding.EncodeToString(b[:])
}

// again is the wait before what was not answered is asked again.
const again = 200 * time.Millisecond

// ask asks until there is an answer, or ctx is done, whose error it then returns.
func ask[A any](ctx context.Context, conn *nats.Conn, subject string, question any) (answer A, err error) {
	data := encode(question)
	for {
		try, cancel := context.WithTimeout(ctx, 2*time.Second)
		msg, err := conn.RequestWithContext(try, subject, data)
		cancel()
		if err == nil {
			return answer, json.Unmarshal(msg.Data, &answer)
		}
		select {
		case <-ctx.Done():
			return answer, ctx.Err()
		case <-time.After(again):
		}
	}
}
