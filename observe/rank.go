package observe

import (
	"cmp"
	"slices"
)

// A named is what a series is known by.
type named struct {
	metric string
	labels []Label
}

// alone returns the places of those series of a rule that an engine's figure is made
// of. Some engines run as many processes, which all tell the same, and tell a level
// as a whole and in parts: of series that differ in nothing else the first counts.
func (g *engine) alone(r *rule, series []named) []int {
	var places []int
	first := map[string]int{} // index into places
	for i, s := range series {
		group, rank := g.apart(r, s)
		at, again := first[group]
		switch {
		case len(rank) == 0 || !again:
			first[group] = len(places)
			places = append(places, i)
		default:
			if _, before := g.apart(r, series[places[at]]); slices.CompareFunc(rank, before, byRank) < 0 {
				places[at] = i
			}
		}
	}
	return places
}

// apart splits what a series is known by into what makes it another one, and what
// only ranks it among those that tell the same; nothing of the latter for a series
// of its own.
func (g *engine) apart(r *rule, s named) (group string, rank []string) {
	group = s.metric
	for _, l := range s.labels {
		if slices.Contains(g.ranks, l.Name) || l.Name == g.split && r.how <= asShare {
			rank = append(rank, l.Value)
			continue
		}
		group += "\x00" + l.Name + "\x01" + l.Value
	}
	return group, rank
}

// byRank compares numbers as they are written; an empty text is the whole.
func byRank(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) }
