package report

import "charm.land/lipgloss/v2"

// A Tone is the meaning that a colour gives to a text: to a cell of a table, a
// line, or a part of the live display.
type Tone uint8

// The tones there are.
const (
	Plain Tone = iota
	Strong
	Faint
	Good
	Doubtful
	Bad
)

// Style is how a terminal shows the tone.
func (t Tone) Style() lipgloss.Style {
	s := lipgloss.NewStyle()
	switch t {
	case Strong:
		return s.Bold(true)
	case Faint:
		return s.Faint(true)
	case Good:
		return s.Foreground(lipgloss.Green)
	case Doubtful:
		return s.Foreground(lipgloss.Yellow)
	case Bad:
		return s.Foreground(lipgloss.Red)
	}
	return s
}
