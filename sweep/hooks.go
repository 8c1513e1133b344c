package sweep

import (
	"cmp"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Hooks are what is done around the batch, its cells and its runs.
type Hooks struct {
	BeforeBatch []Hook `yaml:"before_batch"`
	AfterBatch  []Hook `yaml:"after_batch"`
	BeforeCell  []Hook `yaml:"before_cell"`
	AfterCell   []Hook `yaml:"after_cell"`
	BeforeRun   []Hook `yaml:"before_run"`
	AfterRun    []Hook `yaml:"after_run"`
}

// MayStart reports whether a command stands before what is measured, which may be
// what starts the service.
func (h *Hooks) MayStart() bool {
	return slices.ContainsFunc(slices.Concat(h.BeforeBatch, h.BeforeCell, h.BeforeRun), func(h Hook) bool { return h.Run != "" })
}

// A Hook is a command for the shell, or a request: exactly one of Run, Post and Get.
type Hook struct {
	Run string `yaml:"run"`
	// Post and Get are addresses, or paths of the service.
	Post      string        `yaml:"post"`
	Get       string        `yaml:"get"`
	Body      string        `yaml:"body"`
	Timeout   time.Duration `yaml:"timeout" unit:"s"`
	OnFailure string        `yaml:"on_failure"`
}

// What the failure of a hook means.
const (
	HookFails = "fail" // what it stands before is not done
	HookWarns = "warn" // it is told
)

// hookTime bounds a hook that does not say how long it may take.
const hookTime = 60 * time.Second

// Limit is how long the hook may take.
func (h *Hook) Limit() time.Duration { return cmp.Or(h.Timeout, hookTime) }

// Fails reports whether the hook's failure is that of what it stands before. One
// that stands behind only tells, unless it says otherwise.
func (h *Hook) Fails(before bool) bool {
	return h.OnFailure == HookFails || h.OnFailure == "" && before
}

// Request returns the method and the address of a request; empty for a command.
func (h *Hook) Request() (method, address string) {
	switch {
	case h.Post != "":
		return "POST", h.Post
	case h.Get != "":
		return "GET", h.Get
	}
	return "", ""
}

// Each yields the hooks by their key.
func (h *Hooks) Each(yield func(key string, hooks []Hook) bool) {
	for _, x := range []struct {
		key   string
		hooks []Hook
	}{
		{"before_batch", h.BeforeBatch},
		{"after_batch", h.AfterBatch},
		{"before_cell", h.BeforeCell},
		{"after_cell", h.AfterCell},
		{"before_run", h.BeforeRun},
		{"after_run", h.AfterRun},
	} {
		if !yield(x.key, x.hooks) {
			return
		}
	}
}

// checkHooks refuses hooks that say nothing, or too much.
func (b *binder) checkHooks(batch *Batch) {
	for key, hooks := range batch.Hooks.Each {
		for i := range hooks {
			h, path := &hooks[i], fmt.Sprintf("hooks.%s[%d]", key, i)
			if b.unsound[path] {
				continue
			}
			fail := func(below, message, hint string) {
				at := cmp.Or(b.values[path+"."+below], b.values[path])
				b.fail(at, path, message, hint)
			}
			_, address := h.Request()
			n := 0
			for _, what := range []string{h.Run, h.Post, h.Get} {
				if what != "" {
					n++
				}
			}
			switch {
			case n != 1:
				fail("", "must have one of run, post and get", "such as {post: /reset_prefix_cache}, or {run: ./restart.sh}")
			case h.Body != "" && h.Post == "":
				fail("body", "only a post has a body", "")
			case address != "" && !isHookAddress(address):
				fail(cmp.Or(map[bool]string{true: "post"}[h.Post != ""], "get"), "must be a path of the service, or the whole address", "such as /reset_prefix_cache, or http://host:8000/start_profile")
			case h.Timeout < 0 || h.Timeout > 24*time.Hour:
				fail("timeout", "must be between 0 and a day", "")
			case !slices.Contains([]string{"", HookFails, HookWarns}, h.OnFailure):
				fail("on_failure", fmt.Sprintf("must be %s or %s", HookFails, HookWarns), suggest(h.OnFailure, []string{HookFails, HookWarns}))
			}
		}
	}
	if len(batch.Hooks.BeforeCell)+len(batch.Hooks.BeforeRun)+len(batch.Hooks.BeforeBatch) > 0 {
		return
	}
	for i := range batch.cells {
		if len(batch.cells[i].Config.ServerParameters) > 0 {
			b.failKey(base("server_parameters"), "has no effect: no hook sets them on the server", "add hooks: {before_cell: [{run: …}]}, which is told them")
			return
		}
	}
}

func isHookAddress(address string) bool {
	if strings.HasPrefix(address, "/") {
		return true
	}
	u, err := url.Parse(address)
	return err == nil && u.Host != "" && u.User == nil && (u.Scheme == "http" || u.Scheme == "https")
}
