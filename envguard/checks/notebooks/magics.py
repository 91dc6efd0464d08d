"""IPython's magics, by what they do to the names of a notebook.

https://ipython.readthedocs.io/en/stable/interactive/magics.html
"""

from __future__ import annotations


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


BODY_IS_PYTHON = _names("capture debug time")
"""Cell magics that run their cell as Python whose names stay."""
BODY_IS_NOT = _names(
    """
    ! HTML SVG bash cmd file html javascript js latex markdown perl prun pypy python python2 python3 ruby
    script sh svg sx system timeit writefile
    """
)
"""Those that run it elsewhere, or for themselves: they leave no names here."""
SAFE = _names(
    """
    aimport alias alias_magic autoawait autocall automagic autoreload autosave bookmark cat cd clear colors
    conda config config_inlinebackend connect_info cp debug dhist dirs doctest_mode ed edit env gui hist
    history killbgscripts ldir less lf lk ll load_ext logoff logon logstart logstate logstop lprun ls
    lsmagic lx magic mamba man matplotlib memit micromamba mkdir mode more mprun mv nbagg notebook page
    pastebin pdb pdef pdoc pfile pinfo pinfo2 pip popd pprint precision profile prun psearch psource pushd
    pwd pycat qtconsole quickref reload_ext rep rm rmdir save sc set_env snakeviz subplots sx system tb
    tensorboard timeit unalias unload_ext uv watermark who who_ls whos xmode
    """
)
"""Line magics that define no names."""
