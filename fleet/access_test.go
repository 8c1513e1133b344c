package fleet

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/nats-io/nats.go"
)

// TestAWorkerSpeaksForItselfAlone has one that knows the token try to listen to
// others, and to speak for them.
func TestAWorkerSpeaksForItselfAlone(t *testing.T) {
	k := coordinated(t, 2)
	refusals := make(chan string, 100)
	dial := Dial{URL: k.Server.URL, Token: k.Server.Token}
	key := newKey()
	conn, prefix, err := dial.connect(workerName+key, key, nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { refusals <- strings.ToLower(err.Error()) }))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	mine, other := seat{k.base, 0, key}, k.seat(1)
	var want []string
	for _, c := range []struct {
		subject       string
		listen, speak bool
	}{
		{prefix + "hello", false, true},
		{k.base + alive, true, false},
		{mine.subject(toDo), true, false},
		{mine.subject(toClock), true, false},
		{mine.subject(toBeat), false, true},
		{mine.subject(toEvent), false, true},
		{mine.subject(toRecords), false, true},
		{mine.subject(toLeft), false, true},
		{inboxOf(key) + ".x", true, false},
		{other.subject(toDo), false, false},
		{other.subject(toBeat), false, false},
		{other.subject(toRecords), false, false},
		{inboxOf(other.key) + ".x", false, false},
		{"elsewhere", false, false},
	} {
		if _, err := conn.SubscribeSync(c.subject); err != nil {
			t.Fatal(err)
		}
		if !c.listen {
			want = append(want, fmt.Sprintf("subscription to %q", strings.ToLower(c.subject)))
		}
		if err := conn.Publish(c.subject, nil); err != nil {
			t.Fatal(err)
		}
		if !c.speak {
			want = append(want, fmt.Sprintf("publish to %q", strings.ToLower(c.subject)))
		}
	}
	for _, pattern := range []string{">", k.base + ">", inboxOf("*") + ".*"} {
		if _, err := conn.SubscribeSync(pattern); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprintf("subscription to %q", strings.ToLower(pattern)))
	}
	if err := conn.Flush(); err != nil {
		t.Fatal(err)
	}
	var got []string
	for range want {
		select {
		case text := <-refusals:
			_, of, _ := strings.Cut(text, "permissions violation for ")
			got = append(got, of)
		case <-time.After(5 * time.Second):
		}
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" || len(refusals) > 0 {
		t.Errorf("what is refused (-want +got):\n%s", diff)
	}
}

func TestWhoIsLetInAtAll(t *testing.T) {
	k := coordinated(t, 1)
	for name, c := range map[string]struct {
		token, name string
		in          bool
	}{
		"a worker":                    {k.Server.Token, workerName + newKey(), true},
		"with another token":          {"guessed", workerName + newKey(), false},
		"with none":                   {"", workerName + newKey(), false},
		"whose key is a pattern":      {k.Server.Token, workerName + "*.*.*.*.*.*.*.*.*.*", false},
		"without a key":               {k.Server.Token, workerName, false},
		"who says it is nobody known": {k.Server.Token, "someone", false},
	} {
		d := Dial{URL: k.Server.URL, Token: c.token}
		conn, _, err := d.connect(c.name, newKey())
		if (err == nil) != c.in {
			t.Errorf("%s: %v, want let in: %v", name, err, c.in)
		}
		if err == nil {
			conn.Close()
		}
	}
}

// TestWhoComesBackIsToldWhatItMissed has a worker speak of a run that is over, and
// one that was replaced.
func TestWhoComesBackIsToldWhatItMissed(t *testing.T) {
	k := coordinated(t, 1)
	k.opened(2)
	old := seat{k.base, 0, newKey()} // of who was replaced
	for name, c := range map[string]struct {
		seat
		what string
		data []byte
		told string // what it is told to do, or is answered
	}{
		"a beat of a run that is over": {k.seat(0), toBeat, encode(beat{Run: 1}), "close 1"},
		"a beat of who was replaced":   {old, toBeat, encode(beat{Run: 2}), "end 0"},
		"records of who was replaced":  {old, toRecords, wrap(2, 0, 0, nil), "end 0"},
		"records of a run that is over": {
			k.seat(0), toRecords, wrap(1, 0, 0, nil), string(taken(runIsOver)),
		},
		"the end of a run that is over": {k.seat(0), toEvent, encode(event{What: isDone, Run: 1}), `{"over":true}`},
	} {
		t.Run(name, func(t *testing.T) {
			dial := Dial{URL: k.Server.URL, Token: k.Server.Token}
			conn, _, err := dial.connect(workerName+c.key, c.key)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			told := make(chan string, 1)
			inbox := conn.NewInbox()
			for _, subject := range []string{c.subject(toDo), inbox} {
				if _, err := conn.Subscribe(subject, func(m *nats.Msg) {
					text := string(m.Data)
					var c command
					if json.Unmarshal(m.Data, &c) == nil && c.Do != "" {
						text = fmt.Sprintf("%s %d", c.Do, c.Run)
					}
					told <- text
				}); err != nil {
					t.Fatal(err)
				}
			}
			if err := conn.PublishRequest(c.subject(c.what), inbox, c.data); err != nil {
				t.Fatal(err)
			}
			select {
			case got := <-told:
				if got != c.told {
					t.Errorf("told %q, want %q", got, c.told)
				}
			case <-time.After(20 * time.Second):
				t.Errorf("told nothing, want %q", c.told)
			}
		})
	}
}
