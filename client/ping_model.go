package client

import (
	"context"
	"encoding/json"
	"net/url"
)

// knows asks for the model by its name, as OpenAI's interface has it: a service
// need not list all that it serves, aliases and adapters above all.
func (p ping) knows(ctx context.Context, list *url.URL) bool {
	u := list.JoinPath(p.Model)
	u.RawQuery = list.RawQuery
	body, err := p.get(ctx, u)
	var model struct{ ID string }
	return err == nil && json.Unmarshal(body, &model) == nil && model.ID == p.Model
}
