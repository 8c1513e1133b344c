package fleet

import (
	"crypto/subtle"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
)

// Check lets in who knows a token: the coordinator with its own, and workers with
// that of the batch. A worker may say hello, and then speak and listen where its
// own key stands; what others say it cannot hear, nor speak for them.
func (s *Server) Check(c server.ClientAuthentication) bool {
	o := c.GetOpts()
	if equal(o.Token, s.own) {
		c.RegisterUser(&server.User{Username: coordinatorName})
		return true
	}
	key, named := strings.CutPrefix(o.Name, workerName)
	if !equal(o.Token, s.Token) || !named || !isKey(key) {
		return false
	}
	c.RegisterUser(&server.User{Username: key, Permissions: permissions(key)})
	return true
}

// permissions are what a worker needs that has a key. It answers what it is asked.
func permissions(key string) *server.Permissions {
	mine := seat{base: "loadgen.*.*.", index: anyone, key: key}
	return &server.Permissions{
		Publish: &server.SubjectPermission{Allow: []string{
			"loadgen.*.hello", mine.subject(toBeat), mine.subject(toEvent), mine.subject(toRecords), mine.subject(toLeft),
		}},
		Subscribe: &server.SubjectPermission{Allow: []string{
			"loadgen.*.*." + alive, mine.subject(toDo), mine.subject(toClock), inboxOf(key) + ".>",
		}},
		Response: &server.ResponsePermission{MaxMsgs: 1, Expires: time.Minute},
	}
}

// isKey reports whether a text may be a key, and is no pattern of subjects.
func isKey(s string) bool {
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567" // as newKey uses them
	return len(s) >= 16 && strings.Trim(s, letters) == ""
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
