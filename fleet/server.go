package fleet

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// A ServerConfig says where the server listens that is part of the coordinator.
type ServerConfig struct {
	// Listen is an address; empty for a free port of the loopback interface.
	Listen string
	// Token is what workers must know; empty makes one up.
	Token string
	// TLS is the server's certificate; nil for none.
	TLS *tls.Config
	// Workers are how many will come; 0 for any number.
	Workers int
}

// A Server is NATS inside this process.
type Server struct {
	nats   *server.Server
	Token  string
	own    string // the coordinator's, which may do what it likes
	secure bool
	URL    string // by which workers on this machine reach it
}

// largest is the longest message: room for the longest record.
const largest = 8 << 20

// StartServer starts a server. Beyond the loopback interface it takes a
// certificate and a token that was chosen, or it is refused.
func StartServer(c ServerConfig) (*Server, error) {
	host, port := "127.0.0.1", server.RANDOM_PORT
	if c.Listen != "" {
		name, number, err := net.SplitHostPort(c.Listen)
		if err != nil {
			return nil, fmt.Errorf("--listen %s is no address such as :4222 or 10.0.0.5:4222: %w", c.Listen, err)
		}
		if port, err = strconv.Atoi(number); err != nil || port < 0 || port > 65535 {
			return nil, fmt.Errorf("--listen %s: %s is no port", c.Listen, number)
		}
		if host = name; host == "" {
			host = "0.0.0.0"
		}
		if port == 0 {
			port = server.RANDOM_PORT
		}
	}
	if !loopback(host) && (c.TLS == nil || c.Token == "") {
		return nil, errors.New("workers on other machines are let in with TLS and a token only: add --tls-cert and --tls-key, and set LOADGEN_JOIN_TOKEN")
	}
	if c.Token == "" {
		c.Token = newKey()
	}
	s := &Server{Token: c.Token, own: newKey(), secure: c.TLS != nil}
	o := &server.Options{
		ServerName: "loadgen", Host: host, Port: port, CustomClientAuthentication: s,
		NoLog: true, NoSigs: true, NoSystemAccount: true,
		MaxPayload: largest, MaxPending: 8 * largest,
		PingInterval: time.Second, MaxPingsOut: 3,
		TLSConfig: c.TLS, TLS: c.TLS != nil, TLSTimeout: 5,
	}
	if c.Workers > 0 {
		o.MaxConn = 2*c.Workers + 8 // some are there twice while the server finds out that they are gone
	}
	n, err := server.NewServer(o)
	if err != nil {
		return nil, fmt.Errorf("starting the server for workers: %w", err)
	}
	n.Start()
	if !n.ReadyForConnections(10 * time.Second) {
		n.Shutdown()
		return nil, fmt.Errorf("the server for workers cannot listen on %s: is something else there?", net.JoinHostPort(host, strconv.Itoa(port)))
	}
	s.nats, s.URL = n, n.ClientURL()
	return s, nil
}

// Stop ends the server.
func (s *Server) Stop() {
	s.nats.Shutdown()
	s.nats.WaitForShutdown()
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
