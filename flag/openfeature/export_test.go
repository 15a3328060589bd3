package openfeature

// Knows says whether it is known what a flag asks for.
func (p *Provider) Knows(key string) bool {
	known := p.asks.Load()
	if known == nil {
		return false
	}
	_, ok := known.flags[key]
	return ok
}
