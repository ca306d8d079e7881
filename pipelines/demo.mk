# A first look: a real photograph, segmented by the model that came with the program.
#
#   make demo
#
# The photograph is in the public domain (CC0, Mikael Haggstrom, Wikimedia Commons); Debian's package python3-skimage
# carries it. It is taken out of the package, which is not installed. Where that is not to be had, one is drawn.

OUT = build/demo

include $(dir $(lastword $(MAKEFILE_LIST)))common.mk

demo: $(OUT)/demo.png
	@cat $(OUT)/which
	@printf '%s\n' "" "  $(OUT)/retina.map.png      how probably each pixel is vessel" \
	  "  $(OUT)/retina.mask.png     vessel or not" \
	  "  $(OUT)/retina.overlay.png  the same, drawn on the photograph" \
	  "  $(OUT)/demo.png            photograph, map and overlay side by side" "" \
	  "Look at the thin vessels, which end too soon, and at the rim of the optic disc, which is none." \
	  "Your own: pipelines/vessels photo.jpg"

PACKAGED = usr/lib/python3/dist-packages/skimage/data/retina.jpg

# apt-get downloads to the present folder; as root it warns that it does so itself
$(OUT)/retina.ppm:
	@mkdir -p $(@D)/package
	@if cd $(@D)/package && apt-get -qq download python3-skimage >/dev/null 2>&1 && \
	    dpkg --fsys-tarfile python3-skimage_*.deb | tar -xO ./$(PACKAGED) > retina.jpg; \
	  then echo "A real photograph, segmented by a network that has never seen it:" > ../which; \
	    jpegtopnm -quiet retina.jpg > ../retina.ppm.new; \
	  else echo "A drawn photograph, since no real one was to be had (package python3-skimage):" > ../which; \
	    rs-synth -quiet -width=1411 -height=1411 | pamchannel -tupletype=RGB 0 1 2 | pamtopnm > ../retina.ppm.new; fi
	@rm -r $(@D)/package && mv $@.new $@

$(OUT)/retina.overlay.png: $(OUT)/retina.ppm
	@$(PIPELINES)vessels $<

$(OUT)/demo.png: $(OUT)/retina.ppm $(OUT)/retina.overlay.png
	@pnmcat -quiet -lr $< <(pngtopnm $(OUT)/retina.map.png | pamdepth -quiet 255 | pgmtoppm white) \
	  <(pngtopnm $(OUT)/retina.overlay.png) | pamscale -quiet .5 | pnmtopng -quiet > $@

.PHONY: demo
